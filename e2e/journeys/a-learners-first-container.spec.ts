/** Lesson 1 as it is meant: everything that a container is made of comes, is looked at, and goes. */
import { readlinkSync } from 'node:fs';
import { expect, test } from '../parts/page.ts';

const RUN_WEB = 'docker run -d --name web busybox sleep 300';
const KINDS = { mount: 'mnt', pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup' } as const;

test('a learner’s first container, from the first click to its last breath', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  expect(page.url()).not.toContain('code');
  await expect(page.getByRole('heading', { level: 1, name: 'A container is a process' })).toBeVisible();
  await expect(labPage.task('Start a container called web', 'not done yet')).toBeVisible();

  await test.step('run it with a click: shim and init come, without a reload', async () => {
    await labPage.run(RUN_WEB);
    await expect(labPage.process('shim of web')).toBeVisible();
    await expect(labPage.process('container’s init')).toContainText('sleep 300');
    await expect(labPage.task('Start a container called web', 'done')).toBeVisible();
  });

  const [hostPid = 0] = lab.hostPids('sleep 300');
  expect(hostPid, 'the host runs it').toBeGreaterThan(1);

  await test.step('its namespaces are its own, with the inode numbers the kernel tells', async () => {
    await labPage.run('ps -ef --forest');
    await expect(labPage.task('Find its process on the machine', 'done')).toBeVisible();
    const explorer = await labPage.show('Namespaces');
    for (const [title, file] of Object.entries(KINDS)) {
      const inode = /\d+/.exec(readlinkSync(`/proc/${hostPid}/ns/${file}`))?.[0];
      await expect(explorer.getByRole('button', { name: new RegExp(`^${title} namespace ${inode} .*its own`) })).toBeVisible();
    }
    const user = /\d+/.exec(readlinkSync(`/proc/${hostPid}/ns/user`))?.[0];
    await expect(explorer.getByRole('button', { name: new RegExp(`^user namespace ${user} .*shared with the machine`) })).toBeVisible();
  });

  await test.step('its cgroup counts: one process, then two, and memory', async () => {
    const explorer = await labPage.show('cgroups');
    const row = explorer.getByRole('button', { name: /^web / });
    await expect(row).toHaveAccessibleName(/pids 1 /);
    const memory = async () => toBytes(/memory([\d.]+ [KMG]?i?B)/.exec((await row.textContent()) ?? '')?.[1]);
    const before = await memory();
    await labPage.type("docker exec -d web sh -c 'dd if=/dev/zero of=/tmp/ballast bs=1M count=24; sleep 200'");
    await expect(row).toHaveAccessibleName(/pids [23] /);
    await expect.poll(memory).toBeGreaterThan(before + 16 * 2 ** 20);
  });

  await test.step('what it writes and deletes lies in its writable layer', async () => {
    const explorer = await labPage.show('Layers');
    await expect(explorer.getByText(/mount points made by the runtime/)).toBeVisible();
    await labPage.run('docker exec web touch /root/hello');
    await expect(explorer.getByRole('button', { name: '/root/hello file' })).toBeVisible();
    await expect(labPage.task('Write a file inside', 'done')).toBeVisible();
    await labPage.run('docker exec web rm /etc/profile');
    await expect(explorer.getByRole('button', { name: '/etc/profile whiteout' })).toBeVisible();
    await expect(labPage.task('Delete a file of the image', 'done')).toBeVisible();
  });

  await test.step('layer by layer: who serves a name, what deleting would do, and the whiteout as it comes', async () => {
    const explorer = await labPage.show('Layers');
    await explorer.getByRole('button', { name: 'Files, layer by layer' }).click();
    const browser = explorer.getByRole('region', { name: 'Files, layer by layer' });
    await browser.getByRole('button', { name: 'etc/', exact: true }).click();
    const names = browser.getByRole('listitem');
    await expect(names.filter({ hasText: /^profile/ })).toContainText('deleted by a whiteout in the writable layer; still in image layer');
    await expect(names.filter({ hasText: /^group/ })).toContainText('image layer');
    await browser.getByRole('button', { name: 'What if I delete group?' }).click();
    await expect(names.filter({ hasText: /^group/ })).toContainText('nothing gets smaller');
    await labPage.type('docker exec web rm /etc/group');
    await expect(names.filter({ hasText: /^group/ })).toContainText('deleted by a whiteout');
    await explorer.getByRole('button', { name: 'Files, layer by layer' }).click();
  });

  await test.step('its birth: every hop from the client to the operations, with durations and evidence', async () => {
    const explorer = await labPage.show('Call chain');
    await explorer.getByRole('button', { name: RUN_WEB }).click();
    const calls = explorer.getByRole('listbox', { name: 'Calls in order' });
    for (const hop of ['client: docker run', 'API: POST /containers/create', 'engine: container.start', 'runtime: runtime.run']) {
      await expect(calls.getByRole('option', { name: new RegExp(`${hop}.*\\d (µs|ms|s)$`) })).toBeVisible();
    }
    await calls.getByRole('option', { name: /operations of the birth/ }).click();
    const evidence = page.getByRole('region', { name: 'Evidence' });
    await calls.getByRole('option', { name: /engine: container.start/ }).click();
    await expect(evidence).toContainText('container.start');
    await explorer.getByRole('searchbox').fill('proc');
    await calls
      .getByRole('option', { name: /mount.*\/proc/ })
      .first()
      .click();
    await expect(evidence).toContainText('/mounts/');
    await evidence.getByRole('button', { name: 'Close evidence' }).click();
    await explorer.getByRole('searchbox').clear();
  });

  await test.step('ended from outside by its pid: all of it goes, and the tasks say so', async () => {
    await labPage.show('Processes');
    const text = await labPage.process('container’s init').textContent();
    await labPage.type(`kill -9 ${/\d+/.exec(text ?? '')?.[0]}`);
    await expect(labPage.task('End it from outside', 'done')).toBeVisible();
    await expect(labPage.process('container’s init')).toContainText(/ended .* by\s*kill -9/);
    await expect(labPage.living('container’s init')).toHaveCount(0);
    await expect(labPage.living('shim')).toHaveCount(0);
    expect(lab.hostPids('sleep 300')).toEqual([]);
    const groups = await labPage.show('cgroups');
    await expect(groups.getByRole('button', { name: /^web / }).filter({ hasNotText: 'ended' })).toHaveCount(0);
  });

  await test.step('the rest of the lesson, by clicks', async () => {
    await labPage.run("docker run -d --name brief busybox sh -c 'sleep 1000 & sleep 2'");
    await expect(labPage.task('See it end with its first process', 'done')).toBeVisible();
    await labPage.run('time docker run --rm busybox true');
    await expect(page.getByRole('navigation', { name: 'Tasks: 7 of 7 done' })).toBeVisible();
  });
});

test('a wrong turn is explained in a sentence: another name, and an end by the engine', async ({ lab, labPage }) => {
  await labPage.open(lab.address);
  await labPage.type('docker run -d --name server busybox sleep 300');
  await expect(labPage.task('Start a container called web', 'not done yet')).toContainText(
    /I see no container called web, but .*server.*I am looking for/,
  );
  await labPage.run(RUN_WEB);
  await expect(labPage.task('Start a container called web', 'done')).toBeVisible();
  await labPage.type('docker stop -t 0 web');
  await expect(labPage.task('End it from outside', 'not done yet')).toContainText(/I see the request POST .*\/stop/);
});

function toBytes(text: string | undefined): number {
  const [amount, unit = 'B'] = (text ?? '').split(' ');
  return Number(amount) * 1024 ** Math.max(0, ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit));
}

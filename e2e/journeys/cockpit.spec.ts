/** A limit under the hand: moved by keys or pointer, told as a command, run in sight, and obeyed by the kernel. */
import { readFileSync } from 'node:fs';
import { expect, test } from '../parts/page.ts';

const MIB = 1024 ** 2;

test('the memory limit of a container is moved by keyboard, and the command that sets it runs in the terminal', async ({
  lab,
  labPage,
  page,
}) => {
  await labPage.open(lab.address);
  await labPage.readScreen();
  await labPage.type('docker run -d --name web -m 64m busybox sleep 300');
  await expect.poll(() => lab.hostPids('sleep 300'), { timeout: 30_000 }).toHaveLength(1);
  const [pid] = lab.hostPids('sleep 300');
  await labPage.show('cgroups');
  await page.getByRole('button', { name: /^web / }).click();
  const cockpit = page.getByRole('region', { name: 'Limits and figures of web' });
  const handle = cockpit.getByRole('slider', { name: 'Limit of memory' });
  await expect(handle).toHaveAttribute('aria-valuetext', /^64 MiB;/);

  await test.step('a moved handle changes nothing yet', async () => {
    await handle.press('ArrowRight');
    await expect(handle).toHaveAttribute('aria-valuetext', /^96 MiB;/);
    await expect(cockpit.getByText(/^echo 100663296 > /)).toBeVisible();
    expect(limitOf(pid)).toBe(64 * MIB);
    await cockpit.getByRole('button', { name: 'Put back' }).click();
    await expect(handle).toHaveAttribute('aria-valuetext', /^64 MiB;/);
  });

  await test.step('run in the terminal it does, and the picture shows what the kernel says', async () => {
    await handle.press('ArrowRight');
    await cockpit.getByRole('button', { name: 'Run in terminal' }).click();
    await expect.poll(() => limitOf(pid)).toBe(96 * MIB);
    await expect(cockpit.getByRole('button', { name: 'Run in terminal' })).toHaveCount(0);
    await expect(cockpit.getByRole('row', { name: /^memory limit / }).first()).toContainText('96 MiB');
    await expect(labPage.screen).toContainText('echo 100663296');
  });

  await test.step('by pointer as well: to the far end is no limit', async () => {
    const pids = cockpit.getByRole('slider', { name: 'Limit of pids' });
    const before = await pids.getAttribute('aria-valuenow');
    const box = await pids.boundingBox();
    if (!box) throw new Error('the handle is nowhere');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x - 120, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    expect(Number(await pids.getAttribute('aria-valuenow'))).toBeLessThan(Number(before));
    await expect(cockpit.getByText(/^echo \d+ > .*pids\.max$/)).toBeVisible();
  });
});

/** As the host reads it, whichever version of cgroups it has. */
function limitOf(pid: number | undefined): number {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const v1 = lines.find((line) => line.split(':')[1]?.split(',').includes('memory'))?.split(':')[2];
  const v2 = lines.find((line) => line.startsWith('0::'))?.slice(3);
  const file = v1 === undefined ? `/sys/fs/cgroup${v2}/memory.max` : `/sys/fs/cgroup/memory${v1}/memory.limit_in_bytes`;
  return Number(readFileSync(file, 'utf8'));
}

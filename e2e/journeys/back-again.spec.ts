/** Nothing is lost: over a reload, a lab that is killed and comes back, a reset, and in time. */
import { expect, test } from '../parts/page.ts';

const RUN_WEB = 'docker run -d --name web busybox sleep 300';

test('a reload keeps the place and what the terminal shows', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  await labPage.type('echo before-$((40+2))');
  await labPage.show('Layers');
  await page.getByRole('radio', { name: 'Text' }).check({ force: true });
  await page.reload();
  await labPage.ready();
  await expect(page.getByRole('tab', { name: 'Layers' })).toHaveAttribute('aria-selected', 'true');
  await expect(page.getByRole('radio', { name: 'Text' })).toBeChecked();
  await labPage.readScreen();
  await expect(labPage.screen).toContainText('before-42');
  await labPage.type('echo after-$((40+3))');
  await expect(labPage.screen).toContainText('after-43');
});

test('a killed lab: the page says so, keeps what is typed, and goes on where it was', async ({ lab, labPage }) => {
  await labPage.open(lab.address);
  await labPage.readScreen();
  await labPage.run(RUN_WEB);
  await expect(labPage.process('container’s init')).toBeVisible();
  await labPage.type('clear; for i in $(seq 1 6); do echo tick-$i-; sleep 1; done');
  await expect(labPage.screen).toContainText('tick-2-');
  await lab.kill();
  await expect(labPage.connection).toHaveAccessibleName('Connection: reconnecting');
  await labPage.type('echo kept-$((20+3))');
  await lab.startAgain();
  await expect(labPage.connection).toHaveAccessibleName('Connection: live', { timeout: 20_000 });
  await expect(labPage.screen).toContainText('kept-23', { timeout: 20_000 });
  const lines = (await labPage.screen.getByRole('listitem').allTextContents()).map((line) => line.replaceAll('\u00a0', ' ').trim());
  expect(lines.filter((line) => /^(tick-\d+-|kept-23)$/.test(line))).toEqual([...[1, 2, 3, 4, 5, 6].map((n) => `tick-${n}-`), 'kept-23']);
  await expect(labPage.process('container’s init')).toBeVisible();
  expect(lab.hostPids('sleep 300')).toHaveLength(1);
});

test('a reset gives a new machine, a new terminal, an empty picture', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  await labPage.type('touch /root/mine');
  await labPage.run(RUN_WEB);
  await expect(labPage.process('container’s init')).toBeVisible();
  await page.getByRole('button', { name: 'Reset the machine to new' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'A new machine is yours' })).toBeVisible();
  await expect(labPage.process('container’s init')).toHaveCount(0);
  await expect(page.getByRole('button', { name: /^Your machine: .*MiB/ })).toBeVisible();
  expect(lab.hostPids('sleep 300')).toEqual([]);
  await labPage.readScreen();
  await labPage.type('ls /root/mine; docker ps -aq | wc -l');
  await expect(labPage.screen).toContainText("cannot access '/root/mine'");
  await expect(labPage.screen.getByRole('listitem').filter({ hasText: /^\s*0\s*$/ })).toHaveCount(1);
  await labPage.run(RUN_WEB);
  await expect(labPage.process('container’s init')).toBeVisible();
});

test('back in time, to now again, and the whole from a file', async ({ lab, labPage, page }, info) => {
  await labPage.open(lab.address);
  await labPage.run(RUN_WEB);
  const living = labPage.living('container’s init');
  await expect(living).toBeVisible();
  await labPage.type('docker rm -f web');
  await expect(living).toHaveCount(0);

  await labPage.timeline.getByRole('button', { name: 'Pause' }).click();
  const moment = labPage.timeline.getByRole('slider', { name: 'Moment shown' });
  await moment.focus();
  await expect(async () => {
    await page.keyboard.press('ArrowLeft');
    await expect(living).toBeVisible({ timeout: 200 });
  }).toPass();
  expect(lab.hostPids('sleep 300'), 'it is the past that is shown').toEqual([]);
  await labPage.timeline.getByRole('button', { name: 'back to now' }).click();
  await expect(living).toHaveCount(0);

  const saving = page.waitForEvent('download');
  await labPage.timeline.getByRole('link', { name: 'Save journal' }).click();
  const path = info.outputPath('journal.ndjson');
  await (await saving).saveAs(path);
  await expect(page.getByRole('button', { name: 'Provenance: live kernel' })).toBeVisible();
  await page.getByLabel('Journal file').setInputFiles(path);
  await expect(page.getByRole('button', { name: 'Provenance: recorded' })).toBeVisible();
  await moment.focus();
  await page.keyboard.press('Home');
  await expect(async () => {
    await page.keyboard.press('ArrowRight');
    await expect(living).toBeVisible({ timeout: 200 });
  }).toPass();
  await labPage.timeline.getByRole('button', { name: /^Close recording/ }).click();
  await expect(page.getByRole('button', { name: 'Provenance: live kernel' })).toBeVisible();
  await expect(living).toHaveCount(0);
});

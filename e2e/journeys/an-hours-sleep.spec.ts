/** A laptop's lid closed for an hour: the page sleeps, its connection dies, the lab goes on; awake again nothing is missing or doubled. */
import { expect, test } from '../parts/page.ts';

test('after an hour’s sleep, terminal and picture are where the machine is', async ({ lab, labPage, page }) => {
  test.setTimeout(150_000);
  await page.clock.install();
  await labPage.open(lab.address);
  await labPage.readScreen();
  await labPage.type('clear; for i in $(seq 1 7); do echo tick-$i-; sleep 2; done; docker run -d --name asleep busybox sleep 300');
  await expect(labPage.screen).toContainText('tick-2-');

  const browser = await page.context().newCDPSession(page);
  await browser.send('Page.setWebLifecycleState', { state: 'frozen' });
  // What an hour does to a connection whose other end hears nothing.
  await lab.kill();
  await lab.startAgain();
  await expect.poll(() => lab.hostPids('sleep 300'), { timeout: 60_000 }).toHaveLength(1);

  await browser.send('Page.setWebLifecycleState', { state: 'active' });
  await page.clock.fastForward('01:00:00');
  await expect(labPage.connection).toHaveAccessibleName('Connection: live', { timeout: 30_000 });
  await expect(labPage.screen).toContainText('tick-7-', { timeout: 20_000 });
  const lines = (await labPage.screen.getByRole('listitem').allTextContents()).map((line) => line.replaceAll('\u00a0', ' ').trim());
  expect(lines.filter((line) => /^tick-\d+-$/.test(line))).toEqual(Array.from({ length: 7 }, (_, index) => `tick-${index + 1}-`));
  await expect(labPage.process('container’s init').filter({ hasText: 'sleep 300' })).toHaveCount(1);
  await labPage.type('echo awake-$((40+2))');
  await expect(labPage.screen).toContainText('awake-42');
});

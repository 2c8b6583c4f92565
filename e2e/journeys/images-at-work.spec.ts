/**
 * Images at work: a pull that is interrupted and goes on where it was, a build whose cache is broken and mended, and what five containers
 * of one big image take on the disk, as layers and as whole copies. First on a desktop, then the same pictures on a phone.
 */
import type { Locator } from '@playwright/test';
import { expect, test } from '../parts/page.ts';

const BUSY = { timeout: 60_000 };
/** Slow enough that a pull can be interrupted: the machine's own loopback, in its own network namespace. */
const SLOW = 'tc qdisc add dev lo root tbf rate 8mbit burst 64kb latency 400ms';
const DOCKERFILE = ['FROM busybox AS made', 'COPY note /note', 'RUN cat /note > /copy', 'FROM busybox', 'COPY --from=made /copy /copy']
  .map((line) => `'${line}'`)
  .join(' ');

test('interrupts and resumes a pull, breaks and mends a build’s cache, and runs the disk experiment', async ({ lab, labPage, page }) => {
  test.setTimeout(240_000);
  await labPage.open(lab.address);
  const run = (line: string) => labPage.type(line);

  const pulls = await labPage.show('Pull timeline');
  await test.step('nothing was pulled: the panel says what to try', async () => {
    await expect(pulls.getByRole('button', { name: 'docker pull layers-demo' })).toBeVisible();
  });

  await test.step('an interrupted pull is shown as far as it came, the next one goes on there', async () => {
    await run(`${SLOW}; timeout 1.5 docker pull layers-demo; tc qdisc del dev lo root`);
    await expect(pulls.getByRole('button', { name: /^pull layers-demo:latest failed/ })).toBeVisible(BUSY);
    await expect(pulls.getByText(/^stopped at /).first()).toBeVisible();
    await run('docker pull layers-demo');
    const latest = pulls.getByRole('button', { name: /^pull layers-demo:latest done/ });
    await expect(latest).toBeVisible(BUSY);
    await latest.click();
    await expect(pulls.getByText(/a mirror$/)).toBeVisible();
    await expect(pulls.getByText('already here').first()).toBeVisible();
    await expect(pulls.getByText(/^resumed at /).first()).toBeVisible();
    await pulls
      .getByRole('button', { name: /resumed at/ })
      .first()
      .click();
    await expect(page.getByRole('region', { name: 'Evidence' })).toContainText('resumedAt');
    await page.getByRole('button', { name: 'Close evidence' }).click();
    await inWords(pulls, /resumed at .* unpacked in/);
  });

  const builds = await labPage.show('Build graph');
  await test.step('a build’s cache holds, breaks where a file changed, and holds again', async () => {
    await run(`mkdir -p /tmp/b && cd /tmp/b && echo one > note && printf '%s\\n' ${DOCKERFILE} > Dockerfile`);
    await run('docker build -t app . && docker build -t app .');
    await expect(builds.getByRole('button', { name: /^app .* 3 of 3 from the cache/ })).toBeVisible(BUSY);
    await run('echo two > note; docker build -t app .');
    await expect(builds.getByText('done again: changed /note')).toBeVisible(BUSY);
    await expect(builds.getByText('done again: it stands on other layers').first()).toBeVisible();
    await expect(builds.getByRole('region', { name: /^Stage 1 from busybox, needs stage 0$/ })).toBeVisible();
    await run('echo one > note; docker build -t app .');
    await expect(builds.getByRole('button', { name: /^app .* 3 of 3 from the cache/ }).first()).toHaveAttribute(
      'aria-pressed',
      'true',
      BUSY,
    );
    await run(`sed -i '3s/.*/RUN cat ~~~/' Dockerfile; docker build -t app .`);
    await expect(builds.getByText(/^line 3: The command .* returned a non-zero code/).first()).toBeVisible(BUSY);
    await inWords(builds, /RUN cat ~~~ failed/);
  });

  const disk = await labPage.show('Disk');
  const overlay = disk.getByRole('region', { name: /^Engine with overlay snapshots/ });
  const native = disk.getByRole('region', { name: /^Engine with native snapshots/ });
  await test.step('five containers of one big image: once as layers, five times as copies', async () => {
    await run('docker pull -q big; for i in 1 2 3 4 5; do docker run -d --name layered$i big sleep 3600; done');
    await expect(overlay.getByText(/^5 containers see 1.2 GiB of files and take [\d.]+ KiB beside the image/)).toBeVisible(BUSY);
    const socket = 'docker -H unix:///run/native.sock';
    const start =
      'slipwayd --config /etc/slipway/native.toml >/var/log/slipwayd-native.log 2>&1 & until [ -S /run/native.sock ]; do sleep 0.1; done';
    await run(`${start}; ${socket} pull -q big; for i in 1 2 3 4 5; do ${socket} run -d --name copied$i big sleep 3600; done`);
    await expect(native.getByText(/^5 containers see 1.2 GiB of files and take 1.2 GiB: each is a whole copy/)).toBeVisible(BUSY);
    await expect(disk.getByRole('button', { name: /copied3 a whole copy of big 240 MiB/ })).toBeVisible();
    await inWords(disk, /writable layer layered1 what it wrote over big [\d.]+ KiB/);
  });

  await test.step('paused, the pictures stand; gone back, they show what was', async () => {
    await labPage.timeline.getByRole('button', { name: 'Pause' }).click();
    await labPage.timeline.getByRole('slider').first().press('Home');
    await expect(native).toHaveCount(0);
    await labPage.timeline.getByRole('button', { name: 'back to now' }).click();
    await expect(native).toBeVisible();
  });

  await test.step('the same on a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Picture' }).click();
    await expect(disk.getByRole('button', { name: /copied3/ })).toBeVisible();
    for (const [panel, text] of [
      ['Pull timeline', / in all: /],
      ['Build graph', 'RUN cat ~~~'],
    ] as const) {
      const explorer = await labPage.show(panel);
      await expect(explorer.getByText(text).first()).toBeVisible();
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, 'nothing hangs over the edge').toBeLessThanOrEqual(0);
    }
  });
});

/** The text twin says the same; then back to the picture. */
async function inWords(explorer: Locator, row: RegExp): Promise<void> {
  await explorer.getByRole('radio', { name: 'Text', exact: true }).check({ force: true });
  await expect(explorer.getByRole('row', { name: row }).first()).toBeVisible();
  await explorer.getByRole('radio', { name: 'Picture', exact: true }).check({ force: true });
}

/**
 * The five lessons about images, solved in the page's terminal on one machine, and what the pictures show of it: a pull that is interrupted and
 * goes on where it was, a build whose cache is broken and mended, what containers of one big image take on the disk, as layers and as whole copies,
 * and an image of two platforms. First on a desktop, then the same pictures on a phone.
 */

import type { Locator } from '@playwright/test';
import type { Lab } from '@slipway/lessons';
import { lab as unions } from '../../labs/04-union-file-systems/lab.ts';
import { lab as images } from '../../labs/07-what-an-image-is/lab.ts';
import { lab as registries } from '../../labs/09-registries/lab.ts';
import { lab as dockerfiles } from '../../labs/10-images-with-and-without-a-dockerfile/lab.ts';
import { lab as withoutEngine } from '../../labs/16-copy-inspect-build-without-an-engine/lab.ts';
import { expect, type LabPage, test } from '../parts/page.ts';

const BUSY = { timeout: 60_000 };
/** Two stages, one of which fails. */
const DOCKERFILE = ['FROM busybox AS made', 'COPY note /note', 'RUN cat ~~~', 'FROM busybox', 'COPY --from=made /copy /copy']
  .map((line) => `'${line}'`)
  .join(' ');

test('solves the five lessons about images, and sees in the pictures what happened', async ({ lab, labPage, page }) => {
  test.setTimeout(300_000);
  await labPage.open(lab.address);

  await test.step('registries: an interrupted pull is shown as far as it came, the next one goes on there', async () => {
    const pulls = await labPage.show('Pull timeline');
    await expect(pulls.getByRole('button', { name: 'docker pull layers-demo' }), 'nothing was pulled: what to try').toBeVisible();
    await begin(labPage, 'Registries', '[ -f ~/slow-line.mjs ]');
    await solve(labPage, registries, {
      gets: async () => {
        await expect(pulls.getByRole('button', { name: /^pull layers-demo:latest done/ })).toBeVisible(BUSY);
        await expect(pulls.getByText(/a mirror$/)).toBeVisible();
        await expect(pulls.getByText('already here').first()).toBeVisible();
      },
      'resumed-pull': async () => {
        await expect(pulls.getByRole('button', { name: /^pull 127.0.0.1:5001\/library\/debian:latest failed/ })).toBeVisible(BUSY);
        await pulls.getByRole('button', { name: /^pull 127.0.0.1:5001\/library\/debian:latest done/ }).click();
        const resumed = pulls.getByRole('button', { name: /resumed at/ }).first();
        await resumed.click();
        await expect(page.getByRole('region', { name: 'Evidence' })).toContainText('resumedAt');
        await page.getByRole('button', { name: 'Close evidence' }).click();
        await inWords(pulls, /resumed at .* unpacked in/);
      },
    });
  });

  await test.step('with and without a Dockerfile: a build’s cache holds, breaks where a file changed, and is mended', async () => {
    await begin(labPage, 'Images with and without a Dockerfile', '[ -f ~/app/Dockerfile ]');
    const builds = await labPage.show('Build graph');
    await solve(labPage, dockerfiles, {
      again: async () => void (await expect(builds.getByRole('button', { name: /^app .* 2 of 2 from the cache/ })).toBeVisible(BUSY)),
      break: async () => {
        await expect(builds.getByText(/^done again: changed .*main\.sh/)).toBeVisible(BUSY);
        await expect(builds.getByText('done again: it stands on other layers')).toBeVisible();
      },
      mend: async () => {
        const latest = builds.getByRole('button', { name: /^app / }).first();
        await expect(latest).toHaveAccessibleName(/2 of 3 from the cache/, BUSY);
        await expect(latest).toHaveAttribute('aria-pressed', 'true');
      },
    });
    await enter(labPage, `mkdir -p /tmp/b && cd /tmp/b && echo one > note && printf '%s\\n' ${DOCKERFILE} > Dockerfile`);
    await enter(labPage, 'docker build -t torn .; cd');
    await expect(builds.getByText(/^line 3: The command .* returned a non-zero code/).first()).toBeVisible(BUSY);
    await expect(builds.getByRole('region', { name: /^Stage 1 from busybox, needs stage 0$/ })).toBeVisible();
    await inWords(builds, /RUN cat ~~~ failed/);
  });

  const disk = await labPage.show('Disk');
  const overlay = disk.getByRole('region', { name: /^Engine with overlay snapshots/ });
  const native = disk.getByRole('region', { name: /^Engine with native snapshots/ });
  await test.step('union file systems: five containers of one big image, once as layers, five times as copies', async () => {
    await begin(labPage, 'Union file systems', '[ -f ~/union/base/label ]; cd ~/union');
    await labPage.show('Disk');
    await solve(labPage, unions, {
      'five-of-one': async () =>
        void (await expect(overlay.getByText(/containers see 1.2 GiB of files and take [\d.]+ KiB beside the images?/)).toBeVisible(BUSY)),
    });
    await enter(labPage, 'for i in 3 4 5; do docker -H unix:///run/native.sock run -d --name copied$i big sleep 3600; done; cd');
    await expect(native.getByText(/^5 containers see 1.2 GiB of files and take 1.2 GiB: each is a whole copy/)).toBeVisible(BUSY);
    await expect(disk.getByRole('button', { name: /copied3 a whole copy of big 240 MiB/ })).toBeVisible();
    await inWords(disk, /writable layer layered1 what it wrote over big [\d.]+ KiB/);
  });

  await test.step('what an image is: an index, a manifest for each platform, and a tag that moves', async () => {
    await begin(labPage, 'What an image is', 'curl -sfo /dev/null http://127.0.0.1:5000/v2/atlas/manifests/latest');
    const graph = await labPage.show('Image graph');
    await graph.getByRole('combobox', { name: 'image', exact: true }).selectOption('127.0.0.1:5000/atlas:latest');
    for (const part of [/^index/, /^manifest for linux\/amd64/, /^manifest for linux\/arm64/])
      await expect(graph.getByRole('button', { name: part })).toBeVisible();
    await solve(labPage, images, {
      replace: async () => {
        await graph.getByRole('combobox', { name: 'beside' }).selectOption('127.0.0.1:5000/atlas:mine');
        await expect(graph.getByRole('status')).toContainText('2 of 3 layers are in both');
      },
    });
  });

  await test.step('copy, inspect, build without an engine', async () => {
    await begin(labPage, 'Copy, inspect, build without an engine', 'true');
    await solve(labPage, withoutEngine, {});
  });

  await test.step('all five are done', async () => {
    await page.getByRole('button', { name: /^All lessons; now/ }).click();
    await expect(page.getByRole('dialog', { name: 'Lessons' }).getByRole('link', { name: /, done$/ })).toHaveCount(5);
    await page.keyboard.press('Escape');
  });

  await test.step('paused, the pictures stand; gone back, they show what was', async () => {
    await labPage.show('Disk');
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

/** Opens the lesson and waits until the machine is prepared for it. */
async function begin(labPage: LabPage, title: string, isPrepared: string): Promise<void> {
  await labPage.chooseLesson(title);
  const [wait, ...rest] = isPrepared.split('; ');
  await enter(labPage, [`until ${wait}; do sleep 0.1; done`, ...rest].join('; '));
}

/** The lab's own solution, task by task; `after` a task comes what the pictures show then. */
async function solve(labPage: LabPage, { tasks }: Lab, after: Readonly<Record<string, () => Promise<void>>>): Promise<void> {
  for (const { id, title, solution } of tasks) {
    for (const line of solution) await enter(labPage, line);
    await expect(labPage.task(title, 'done')).toBeVisible(BUSY);
    await after[id]?.();
  }
}

/** As {@link LabPage.type}, at once and not key by key. */
async function enter({ page, terminal }: LabPage, line: string): Promise<void> {
  await terminal.focus();
  await page.keyboard.insertText(line);
  await page.keyboard.press('Enter');
}

/** The text twin says the same; then back to the picture. */
async function inWords(explorer: Locator, row: RegExp): Promise<void> {
  await explorer.getByRole('radio', { name: 'Text', exact: true }).check({ force: true });
  await expect(explorer.getByRole('row', { name: row }).first()).toBeVisible();
  await explorer.getByRole('radio', { name: 'Picture', exact: true }).check({ force: true });
}

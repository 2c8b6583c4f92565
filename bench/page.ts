/**
 * How smooth the page stays: a journal of 200 containers played in a real browser, the time between frames measured in it, and what the
 * page's main thread did meanwhile. On a busy host frames come late for others' sake: the processor time of a task is the page's own.
 *
 * Knows: the generated journal, and which explorers are looked at; a page that draws nothing tells what this host's frames cost anyway.
 * Does not know: how the page draws.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { chromium, type Page } from '@playwright/test';
import { formatEvent } from '@slipway/journal';
import { scenario } from '@slipway/journal/testing';
import { Lab } from '../e2e/parts/lab.ts';
import { type Explorer, LabPage } from '../e2e/parts/page.ts';
import { BROWSER } from '../e2e/playwright.config.ts';
import { type TaskTimes, tracedTasks } from './page-trace.ts';
import type { BenchOptions } from './run.ts';
import { formatTable, formatTarget } from './table.ts';

const CONTAINERS = 200;
const MEASURED_MS = 10_000;
/** Played from here to the end of the recording: longer than what is measured. */
const BACK_STEPS = 3;
const SMOOTH_MS = 50;
const EXPLORERS: readonly Explorer[] = ['Processes', 'Namespaces', 'cgroups', 'Layers', 'Call chain'];

interface Frames {
  readonly longestMs: number;
  readonly p99Ms: number;
  readonly count: number;
  readonly long: number;
}

export async function benchPage(_options: BenchOptions): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/slipway-bench-page-`);
  const journal = `${directory}/journal.ndjson`;
  writeFileSync(journal, `${scenario({ containers: CONTAINERS }).map(formatEvent).join('\n')}\n`);
  const lab = await Lab.start();
  const browser = await chromium.launch(BROWSER);
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const empty = await frames(page);
    const lines: [string, Frames, TaskTimes?][] = [['an empty page', empty]];
    const labPage = new LabPage(page);
    await labPage.open(lab.address);
    await page.getByLabel('Journal file').setInputFiles(journal);
    for (const explorer of EXPLORERS) {
      await playNearTheEnd(labPage, explorer);
      const { result, tasks } = await tracedTasks(browser, page, { smoothMs: SMOOTH_MS, body: () => frames(page) });
      lines.push([explorer, result, tasks]);
    }
    print(lines);
  } finally {
    await browser.close();
    const left = await lab.end();
    rmSync(directory, { recursive: true, force: true });
    if (left.length > 0) process.stderr.write(`left behind: ${left.join(', ')}\n`);
  }
}

async function playNearTheEnd(labPage: LabPage, explorer: Explorer): Promise<void> {
  await labPage.show(explorer);
  const pause = labPage.timeline.getByRole('button', { name: 'Pause' });
  // Played to its end, a recording pauses by itself, perhaps at this moment.
  if (await pause.isVisible()) await pause.click({ timeout: 2000 }).catch(() => undefined);
  await labPage.timeline.getByRole('slider', { name: 'Moment shown' }).focus();
  await labPage.page.keyboard.press('End');
  for (let step = 0; step < BACK_STEPS; step += 1) await labPage.page.keyboard.press('Shift+ArrowLeft');
  await labPage.timeline.getByRole('button', { name: 'Play' }).click();
}

function frames(page: Page): Promise<Frames> {
  return page.evaluate(
    ({ measuredMs, smoothMs }) =>
      new Promise<Frames>((resolve) => {
        const deltas: number[] = [];
        const started = performance.now();
        let last: number | undefined;
        const onFrame = (now: number): void => {
          if (last !== undefined) deltas.push(now - last);
          last = now;
          if (performance.now() - started < measuredMs) requestAnimationFrame(onFrame);
          else {
            const sorted = deltas.toSorted((a, b) => a - b);
            resolve({
              longestMs: sorted.at(-1) ?? Number.NaN,
              p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
              count: sorted.length,
              long: sorted.filter((delta) => delta > smoothMs).length,
            });
          }
        };
        requestAnimationFrame(onFrame);
      }),
    { measuredMs: MEASURED_MS, smoothMs: SMOOTH_MS },
  );
}

function print(lines: readonly (readonly [string, Frames, TaskTimes?])[]): void {
  const seconds = MEASURED_MS / 1000;
  process.stdout.write(`${CONTAINERS} containers in the journal, played for ${seconds} s on each explorer\n`);
  const rows = lines.map(([name, { longestMs, p99Ms, count, long }, tasks]) => [
    name,
    `${longestMs.toFixed(1)} ms`,
    `${p99Ms.toFixed(1)} ms`,
    String(long),
    String(count),
    ...(tasks ? [tasks.longestMs, tasks.longestCpuMs, tasks.totalCpuMs].map((ms) => `${ms.toFixed(1)} ms`) : ['', '', '']),
  ]);
  process.stdout.write(
    formatTable(['', 'longest frame', 'p99', `over ${SMOOTH_MS} ms`, 'frames', 'longest task', 'its cpu', 'cpu in all'], rows),
  );
  const cpu = Math.max(...lines.map(([, , tasks]) => tasks?.longestCpuMs ?? 0));
  process.stdout.write(formatTarget('longest task of all, cpu ms', cpu, `at most ${SMOOTH_MS}`, (value) => value <= SMOOTH_MS));
  const longest = Math.max(...lines.slice(1).map(([, { longestMs }]) => longestMs));
  process.stdout.write(formatTarget('longest frame of all, ms', longest, `at most ${SMOOTH_MS}`, (value) => value <= SMOOTH_MS));
}

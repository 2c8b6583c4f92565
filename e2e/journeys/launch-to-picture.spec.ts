/** How soon the picture shows a container's first process: printed, not judged, since a busy host is slow for other reasons. */
import type { JournalEvent } from '@slipway/journal/types';
import { expect, test } from '../parts/page.ts';

const ROUNDS = 10;

test('launch to picture, ten times', { tag: '@timed' }, async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  const entered: number[] = [];
  const shown: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const seen = page.evaluate(watchForInit, `run${round}`);
    await labPage.type(`docker run -d --name run${round} busybox sleep 300`);
    const times = await seen;
    entered.push(times.entered);
    shown.push(times.shown);
    await labPage.type(`docker rm -f run${round}`);
    await expect.poll(() => lab.hostPids('sleep 300')).toEqual([]);
  }
  const journal = await page.request.get(new URL('/api/journal', page.url()).href);
  const events = (await journal.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JournalEvent);
  const births = Array.from({ length: ROUNDS }, (_, round) => birthOf(events, `run${round}`));
  const since = (start: (round: number) => number) => summary(shown.map((at, round) => at - start(round)));
  console.log(`first process in the picture after Enter:                  ${since((round) => entered[round] ?? Number.NaN)}`);
  console.log(`                         after the engine's start request: ${since((round) => births[round]?.requestedMs ?? Number.NaN)}`);
  console.log(`                         after its execve in the kernel:   ${since((round) => births[round]?.executedMs ?? Number.NaN)}`);
  expect(births.every((birth) => birth.executedMs > birth.requestedMs)).toBe(true);
});

/** In the page: wall-clock times of the next Enter, and of the moment the container's first process stands in the tree. */
function watchForInit(name: string): Promise<{ readonly entered: number; readonly shown: number }> {
  return new Promise((resolve) => {
    const wall = () => performance.timeOrigin + performance.now();
    let entered = Number.NaN;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Enter') entered = wall();
    };
    const look = (): void => {
      const items = [...document.querySelectorAll('[role="treeitem"]')];
      if (!items.some((item) => item.textContent?.includes('container’s init') && item.textContent.includes(name))) return;
      observer.disconnect();
      window.removeEventListener('keydown', onKey, true);
      // What the next frame paints is what a learner sees.
      requestAnimationFrame(() => resolve({ entered, shown: wall() }));
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    window.addEventListener('keydown', onKey, true);
  });
}

/** When a container was asked to start and when its program was executed, as wall-clock time. */
function birthOf(events: readonly JournalEvent[], name: string): { readonly requestedMs: number; readonly executedMs: number } {
  const epoch = events.find((event) => event.type === 'epoch');
  if (epoch?.type !== 'epoch') throw new Error('the journal has no epoch');
  const toWall = (atMs: number) => epoch.wallMs + (atMs - epoch.atMs);
  const id = events.flatMap((event) => (event.type === 'container' && event.container.name === name ? [event.container.id] : []))[0];
  const request = events.find((event) => event.type === 'span' && event.span.name === 'container.start' && event.span.container === id);
  const exec = events.find((event) => event.type === 'kernel.exec' && event.event.container === id && event.event.comm === 'sleep');
  if (request?.type !== 'span' || exec === undefined) throw new Error(`the journal tells nothing of the birth of ${name}`);
  return { requestedMs: toWall(request.span.startMs), executedMs: toWall(exec.atMs) };
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (index: number) => `${(sorted[index] ?? Number.NaN).toFixed(0)} ms`;
  return `median ${at(Math.floor(sorted.length / 2))}, fastest ${at(0)}, slowest ${at(sorted.length - 1)}`;
}

import { expect, test } from 'vitest';
import { createRing } from './ring.ts';
import type { ContainerFact, JournalBody, JournalEvent } from './types.ts';

const notice = (text: string): JournalBody => ({ type: 'notice', level: 'info', text });
const container = (id: string, status: ContainerFact['status']): JournalBody => ({
  type: 'container',
  container: { id, name: id, image: 'busybox', command: ['sh'], status, createdAt: '2026-01-01T00:00:00Z', api: 'docker' },
});
const seqs = (events: readonly JournalEvent[]): number[] => events.map((event) => event.seq);

test('events are numbered from one and readable from any number', () => {
  const ring = createRing({ capacity: 10 });
  for (const text of ['a', 'b', 'c']) ring.append(notice(text), 1, 'host');
  expect(seqs(ring.read(0))).toEqual([1, 2, 3]);
  expect(seqs(ring.read(2))).toEqual([3]);
  expect(ring.read(3)).toEqual([]);
  expect(seqs(ring.read(0, 2))).toEqual([1, 2]);
});

test('a reader that fell behind gets the last picture of each thing and one gap, in ascending order', () => {
  const ring = createRing({ capacity: 2 });
  ring.append(container('c1', 'created'), 1, 'machine');
  ring.append(container('c1', 'running'), 2, 'machine');
  ring.append(notice('lost'), 3, 'host');
  ring.append(container('c2', 'created'), 4, 'machine');
  ring.append(notice('kept'), 5, 'host');
  ring.append(notice('kept too'), 6, 'host');

  const events = ring.read(0);
  expect(seqs(events)).toEqual([2, 3, 4, 5, 6]);
  expect(events[0]).toMatchObject({ type: 'container', container: { id: 'c1', status: 'running' } });
  expect(events[1]).toMatchObject({ type: 'gap', count: 2 });
  expect(ring.read(4).map((event) => event.type)).toEqual(['notice', 'notice']);
});

test('it is bounded by bytes as well, and never drops the newest event', () => {
  const ring = createRing({ capacity: 1000, maxBytes: 2000 });
  for (let i = 0; i < 50; i++) ring.append(notice('x'.repeat(500)), i, 'host');
  expect(ring.sizeBytes).toBeLessThanOrEqual(2000);
  ring.append(notice('y'.repeat(9000)), 50, 'host');
  expect([ring.firstSeq, ring.lastSeq]).toEqual([51, 51]);
});

test('a burst reaches a subscriber as one batch; an unsubscribed one hears nothing', async () => {
  const ring = createRing({ capacity: 10_000 });
  const batches: number[][] = [];
  const other: number[][] = [];
  ring.append(notice('before'), 0, 'host');
  const stop = ring.subscribe((events) => batches.push(seqs(events)), 0);
  const stopOther = ring.subscribe((events) => other.push(seqs(events)));
  ring.append(notice('a'), 1, 'host');
  ring.append(notice('b'), 2, 'host');
  stopOther();
  await Promise.resolve();
  expect(batches).toEqual([[1, 2, 3]]);
  stop();
  ring.append(notice('c'), 3, 'host');
  await Promise.resolve();
  expect(batches).toHaveLength(1);
  expect(other).toEqual([]);
});

test('many appends keep memory bounded and order right', () => {
  const ring = createRing({ capacity: 1000 });
  for (let i = 0; i < 200_000; i++) ring.append(notice('n'), i, 'host');
  expect(seqs(ring.read(199_997))).toEqual([199_998, 199_999, 200_000]);
  expect(ring.firstSeq).toBe(199_001);
});

test('a ring can go on from the number where a saved journal ended', () => {
  const ring = createRing({ capacity: 10, startAfter: 41 });
  expect([ring.firstSeq, ring.lastSeq]).toEqual([42, 41]);
  expect(ring.append({ type: 'notice', level: 'info', text: 'a' }, 1, 'host').seq).toBe(42);
});

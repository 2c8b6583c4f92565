import type { JournalEvent } from '@slipway/journal';
import { expect, test } from 'vitest';
import { JournalFeed } from './journal-feed.ts';

const notice = (seq: number, atMs: number): JournalEvent => ({ type: 'notice', level: 'info', text: `n${seq}`, seq, atMs, origin: 'host' });

function feedWith(count: number) {
  let now = 0;
  const feed = new JournalFeed(() => now);
  feed.begin('j1');
  feed.accept(
    'j1',
    Array.from({ length: count }, (_, index) => notice(index + 1, (index + 1) * 100)),
  );
  return { feed, wait: (ms: number) => (now += ms) };
}

test('a batch that overlaps what is held is taken once', () => {
  const { feed } = feedWith(3);
  feed.accept('j1', [notice(2, 200), notice(3, 300), notice(4, 400)]);
  expect(feed.events.map((event) => event.seq)).toEqual([1, 2, 3, 4]);
  expect(feed.lastSeq).toBe(4);
});

test('live time goes on between events, paused time does not', () => {
  const { feed, wait } = feedWith(3);
  wait(800);
  expect(feed.moment().atMs).toBe(1100);
  feed.pause();
  wait(5000);
  expect(feed.moment()).toMatchObject({ atMs: 1100, mode: 'paused' });
});

test('scrubbing back shows the world of that time while events keep coming', () => {
  const { feed } = feedWith(3);
  feed.seek(150);
  feed.accept('j1', [notice(4, 400)]);
  expect(feed.moment().world.notices.map((entry) => entry.text)).toEqual(['n1']);
  feed.goLive();
  expect(feed.moment().world.notices).toHaveLength(4);
});

test('playing arrives at the end and is live again', () => {
  const { feed, wait } = feedWith(3);
  feed.seek(100);
  feed.play();
  feed.setSpeed(2);
  feed.tick();
  wait(50);
  feed.tick();
  expect(feed.moment()).toMatchObject({ atMs: 200, mode: 'playing' });
  wait(1000);
  feed.tick();
  expect(feed.moment().mode).toBe('live');
});

test('an opened file is recorded, and closing it returns to the machine', () => {
  const { feed } = feedWith(3);
  feed.openFile('old.ndjson', [notice(1, 50)]);
  expect(feed.moment()).toMatchObject({ provenance: 'recorded', file: 'old.ndjson', atMs: 50, length: 1 });
  feed.closeFile();
  expect(feed.moment()).toMatchObject({ provenance: 'live', mode: 'live', length: 3 });
});

test('another journal forgets the old one', () => {
  const { feed } = feedWith(3);
  feed.begin('j2');
  expect(feed.moment().length).toBe(0);
  feed.accept('j1', [notice(4, 400)]);
  expect(feed.moment().length).toBe(0);
});

test('a very long journal lets its oldest events go and keeps what they established', () => {
  const feed = new JournalFeed(() => 0);
  feed.begin('j');
  const container: JournalEvent = {
    type: 'container',
    container: { id: 'c1', name: 'old', image: 'busybox', command: [], status: 'running', createdAt: '', api: 'docker' },
    seq: 1,
    atMs: 1,
    origin: 'machine',
  };
  feed.accept('j', [container, ...Array.from({ length: 60_001 }, (_, index) => notice(index + 2, index + 2))]);
  const { world, length } = feed.moment();
  expect(length).toBeLessThan(40_000);
  expect(world.containers.map((entry) => entry.fact.name)).toEqual(['old']);
});

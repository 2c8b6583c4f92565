import { expect, test } from 'vitest';
import { LiveContainer } from './live-container.ts';
import { RECORD } from './testing/requests.ts';

const EXIT = { code: 3, oomKilled: false, at: '' };

test('who waits is told once; who has left is forgotten', async () => {
  const container = new LiveContainer(RECORD);
  const told: string[] = [];
  const wait = (name: string, signal?: AbortSignal) => container.wait('next-exit', signal).then(({ code }) => told.push(`${name} ${code}`));
  const [left, stays] = [new AbortController(), new AbortController()];
  void wait('left', left.signal);
  const both = [wait('stays', stays.signal), wait('waits')];
  left.abort();
  container.tell('next-exit', EXIT);
  await Promise.all(both);
  container.tell('next-exit', { ...EXIT, code: 4 });
  expect(told).toEqual(['stays 3', 'waits 3']);
});

import type { ServerMessage } from '@slipway/contracts';
import { createRing } from '@slipway/journal';
import { expect, test } from 'vitest';
import { JournalStream } from './journal-stream.ts';

/** A page that takes everything at once, and the journal it is sent. */
function stream(texts: readonly string[]) {
  const ring = createRing({ capacity: 1000 });
  for (const text of texts) ring.append({ type: 'notice', level: 'info', text }, 1, 'host');
  const sent: string[] = [];
  const socket = { bufferedAmount: 0, send: (text: string) => void sent.push(text) };
  const journal = {
    id: 'j',
    get lastSeq() {
      return ring.lastSeq;
    },
    read: ring.read,
    subscribe: ring.subscribe,
  };
  new JournalStream(socket, journal, 0).stop();
  const messages = sent.map((text) => JSON.parse(text) as Extract<ServerMessage, { readonly type: 'journal' }>);
  return { sent, events: messages.flatMap(({ events }) => events) };
}

test('large events go in many messages, so that a page that comes late is not cut off over one that it cannot take', () => {
  const { sent, events } = stream(Array.from({ length: 100 }, () => 'x'.repeat(100_000)));
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  for (const text of sent) expect(text.length).toBeLessThan(600_000);
});

test('an event that is larger than a message should be goes alone', () => {
  const { sent, events } = stream(['a', 'x'.repeat(1_000_000), 'b']);
  expect(events).toHaveLength(3);
  expect(sent).toHaveLength(3);
});

test('small events go together', () => {
  const { sent, events } = stream(Array.from({ length: 800 }, () => 'x'));
  expect(events).toHaveLength(800);
  expect(sent).toHaveLength(2);
});

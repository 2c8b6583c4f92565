import type { JournalEvent, Span } from '@slipway/journal/types';
import { expect, test } from 'vitest';
import { isAnswered, isByHand, registryVisits, storeSpans } from './registry-facts.ts';
import type { CheckView } from './types.ts';

function viewOf(...spans: readonly Partial<Span>[]): CheckView {
  const events = spans.map((span, at): JournalEvent => {
    const whole = { id: `s${at}`, trace: `s${at}`, actor: 'registry', name: 'GET /v2/', startMs: at, endMs: at + 1, ...span } as const;
    return { seq: at + 1, atMs: at, origin: 'machine', type: 'span', span: whole };
  });
  return { containers: [], everSeen: [], processes: [], layers: [], events, earlier: [], machineNamespaces: {} };
}

const request = (userAgent: string) => JSON.stringify({ method: 'GET', kind: 'blob', repository: 'atlas', userAgent });
const answer = (status?: number) => JSON.stringify({ ...(status !== undefined && { status }), bytes: 1, received: 0 });

test('requests are told apart by who asked, and by how they ended', () => {
  const visits = registryVisits(
    viewOf(
      { request: request('curl/8'), response: answer(206) },
      { request: request('slipway/0.1'), response: answer(200) },
      { request: request('curl/8'), response: answer(404), error: { code: 'BLOB_UNKNOWN', message: '' } },
      { request: request('curl/8'), response: answer(200), error: { code: 'CLIENT_GONE', message: '' } },
      { request: request('curl/8'), response: answer() },
    ),
  );
  expect(visits.map((visit) => [isByHand(visit), isAnswered(visit)])).toEqual([
    [true, true],
    [false, true],
    [true, false],
    [true, false],
    [true, false],
  ]);
});

test('what has not ended, is another’s, or was cut short is passed over', () => {
  const { endMs: _, ...open } = { endMs: 0, request: request('curl/8'), response: answer(200) };
  const view = viewOf(
    { ...open, endMs: undefined as never },
    { actor: 'api', ...open },
    { request: '{"method":"GE … (9000 characters)', response: answer(200) },
  );
  expect(registryVisits(view)).toEqual([]);
});

test('what the engine did for images is found by name, without failures', () => {
  const done = { actor: 'store', name: 'layer.download', response: '{"state":"verified","resumedAt":9}' } as const;
  const found = storeSpans(viewOf(done, { ...done, error: { code: 'E', message: '' } }, { ...done, name: 'image.pull' }), 'layer.download');
  expect(found.map(({ response }) => response)).toEqual([{ state: 'verified', resumedAt: 9 }]);
});

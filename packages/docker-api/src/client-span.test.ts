import { createTracer, type JournalBody, type Span } from '@slipway/journal';
import { expect, test } from 'vitest';
import { clientSpan } from './client-span.ts';

function recorded(headers: Record<string, string>): { spans: Span[]; parent: unknown } {
  const spans: Span[] = [];
  const keep = (body: JournalBody) => body.type === 'span' && spans.push(body.span);
  const tracer = createTracer({ emit: (write) => void keep(write()), now: () => 0 });
  const client = clientSpan(headers, tracer);
  client.answered();
  return { spans, parent: client.parent };
}

const HEADERS = { 'x-slipway-span': 'abc/abc', 'x-slipway-command': 'docker%20run%20busybox', 'x-slipway-started': '1.5' };

test('what was typed becomes the trace’s outermost span, open and then closed', () => {
  const { spans, parent } = recorded(HEADERS);

  expect(parent).toEqual({ trace: 'abc', id: 'abc' });
  expect(spans).toMatchObject([
    { id: 'abc', trace: 'abc', actor: 'client', name: 'docker run busybox', startMs: 1.5 },
    { id: 'abc', trace: 'abc', endMs: expect.any(Number) },
  ]);
  expect(spans[0]?.endMs).toBeUndefined();
});

test.each([
  ['no headers, as a real docker client', {}],
  ['a broken escape', { ...HEADERS, 'x-slipway-command': '%E0%A4%A' }],
  ['a start in the future', { ...HEADERS, 'x-slipway-started': '1e300' }],
  ['a start that is no number', { ...HEADERS, 'x-slipway-started': 'soon' }],
  ['a span that is no name', { ...HEADERS, 'x-slipway-span': '../../x y/z' }],
])('%s records no client span', (_name, headers) => {
  expect(recorded(headers).spans).toEqual([]);
});

import { EngineError } from '@slipway/errors';
import { expect, test } from 'vitest';
import { createTracer } from './tracer.ts';
import type { JournalBody, Span } from './types.ts';

function recorder() {
  const events: Array<{ body: JournalBody; atMs: number }> = [];
  let clock = 100;
  let count = 0;
  const tracer = createTracer({
    emit: (write, atMs) => events.push({ body: write(), atMs }),
    now: () => clock++,
    newId: () => `s${++count}`,
  });
  const spans = (): Span[] => events.flatMap(({ body }) => (body.type === 'span' ? [body.span] : []));
  return { tracer, events, spans };
}

test('a span is written when it opens and, whole, when it closes; children share its trace', async () => {
  const { tracer, spans } = recorder();
  const answer = await tracer.span(
    { actor: 'api', name: 'POST /containers/create', request: { Env: ['TOKEN=x'] }, source: 'a.ts:1' },
    async (span) => {
      await tracer.span({ actor: 'engine', name: 'create', parent: span, source: 'b.ts:2' }, () => {});
      span.note({ response: { Id: 'c1' }, container: 'c1' });
      return 42;
    },
  );

  expect(answer).toBe(42);
  const api = {
    id: 's1',
    trace: 's1',
    actor: 'api',
    name: 'POST /containers/create',
    startMs: 100,
    request: '{"Env":["TOKEN=[redacted]"]}',
    source: 'a.ts:1',
  };
  const child = { id: 's2', parent: 's1', trace: 's1', actor: 'engine', name: 'create', startMs: 101, source: 'b.ts:2' };
  expect(spans()).toEqual([api, child, { ...child, endMs: 102 }, { ...api, endMs: 103, container: 'c1', response: '{"Id":"c1"}' }]);
});

test('an error is written with its code and goes on to the caller', async () => {
  const { tracer, spans } = recorder();
  const failure = new EngineError('not-found', 'no image "x"', { code: 'E_IMAGE_NOT_FOUND', op: 'image.get' });

  await expect(tracer.span({ actor: 'engine', name: 'create' }, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(spans().at(-1)).toMatchObject({ endMs: 101, error: { code: 'E_IMAGE_NOT_FOUND', message: 'no image "x"' } });
});

test('closing twice writes once', () => {
  const { tracer, spans } = recorder();
  const span = tracer.open({ actor: 'api', name: 'attach' });
  span.close();
  span.close(new Error('late'));
  expect(spans()).toHaveLength(2);
  expect(spans()[1]).not.toHaveProperty('error');
});

test('a finished interval is one event with the times it was measured at', () => {
  const { tracer, events } = recorder();
  const operation = { index: 3, op: 'mount', phase: 'mounts', pointer: '/mounts/0', reason: 'proc', errno: 0, args: '{}' };
  const context = tracer.record({ actor: 'launcher', name: 'mount /proc', startMs: 5.25, endMs: 5.5, operation, source: 'x.c:1' });
  expect(context).toEqual({ id: 's1', trace: 's1' });
  expect(events).toEqual([
    {
      atMs: 5.5,
      body: {
        type: 'span',
        span: { ...context, actor: 'launcher', name: 'mount /proc', startMs: 5.25, endMs: 5.5, operation, source: 'x.c:1' },
      },
    },
  ]);
});

test('without a given source, a span names the line that opened it', () => {
  const { tracer, spans } = recorder();
  tracer.open({ actor: 'api', name: 'attach' });
  expect(spans()[0]?.source).toMatch(/^packages\/journal\/src\/tracer\.test\.ts:\d+$/);
});

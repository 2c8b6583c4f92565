import { expect, test } from 'vitest';
import { reduceAll } from './reduce.ts';
import { numbered } from './testing/scenario.ts';
import type { Span } from './types.ts';
import { builds } from './view-builds.ts';
import { transfers } from './view-transfers.ts';
import { emptyWorld } from './world.ts';

type Given = Partial<Omit<Span, 'request' | 'response'>> &
  Pick<Span, 'id' | 'name'> & { readonly request?: object; readonly response?: object };

const span = ({ request, response, ...given }: Given): Span => ({
  trace: 't',
  actor: 'engine',
  startMs: 0,
  ...given,
  ...(request && { request: JSON.stringify(request) }),
  ...(response && { response: JSON.stringify(response) }),
});
const worldOf = (...spans: readonly Given[]) =>
  reduceAll(emptyWorld(), numbered(spans.map((given, at) => [{ type: 'span', span: span(given) }, at] as const)));

const layer = (digest: string, size: number) => ({ digest, size, mediaType: 'tar' });

test('a pull: what was here, what travelled and how fast, what an earlier attempt had left, what waits', () => {
  const world = worldOf(
    { id: 'p', name: 'image.pull', request: { reference: 'big' } },
    {
      id: 'r',
      parent: 'p',
      name: 'image.resolve',
      endMs: 1,
      response: { origin: 'http://mirror', isMirror: true },
    },
    { id: 'l2', parent: 'p', name: 'image.layers', endMs: 1, response: { from: 2, layers: [layer('c', 500), layer('d', 5)] } },
    { id: 'l0', parent: 'p', name: 'image.layers', endMs: 1, response: { from: 0, layers: [layer('a', 10), layer('b', 1000)] } },
    {
      id: 'a',
      parent: 'p',
      name: 'layer.download',
      endMs: 1,
      request: { digest: 'a', sizeBytes: 10 },
      response: { state: 'exists', bytes: 10 },
    },
    {
      id: 'b',
      parent: 'p',
      name: 'layer.download',
      startMs: 10,
      endMs: 1020,
      request: { digest: 'b', sizeBytes: 1000 },
      response: {
        state: 'verified',
        bytes: 1000,
        resumedAt: 400,
        retries: 2,
        arrivedMs: 1000,
        points: [
          [0, 400],
          [1000, 1000],
        ],
      },
    },
    {
      id: 'c',
      parent: 'p',
      name: 'layer.download',
      startMs: 10,
      request: { digest: 'c', sizeBytes: 500 },
      response: { state: 'progress', bytes: 50, points: [[10, 50]] },
    },
    { id: 'u', parent: 'p', name: 'layer.unpack', startMs: 5, endMs: 9, request: { digest: 'a' }, response: { state: 'done' } },
  );
  const [pull] = transfers(world, 110);
  expect(pull).toMatchObject({
    kind: 'pull',
    name: 'big',
    origin: 'http://mirror',
    isMirror: true,
    totalBytes: 1515,
    movedBytes: 650,
    sparedBytes: 410,
  });
  expect(pull?.layers.map(({ digest, move }) => [digest, move?.state])).toEqual([
    ['a', 'exists'],
    ['b', 'done'],
    ['c', 'moving'],
    ['d', undefined],
  ]);
  expect(pull?.layers[0]?.unpack).toMatchObject({ state: 'done', endMs: 9 });
  expect(pull?.layers[1]?.move).toMatchObject({ resumedAt: 400, retries: 2, arrivedMs: 1010, bytesPerSecond: 600 });
  expect(pull?.layers[2]?.move).toMatchObject({ bytes: 50, bytesPerSecond: 500, points: [{ atMs: 20, bytes: 50 }] });
});

test('a lazy pull has the layers that came after it, from traces of their own; of two pulls each has its own', () => {
  const fill = (id: string, startMs: number, more: Pick<Given, 'endMs'>, response: object): Given => ({
    id,
    trace: id,
    name: 'layer.fill',
    actor: 'store',
    startMs,
    request: { digest: 'a', sizeBytes: 1000 },
    ...more,
    response,
  });
  const pullOf = (at: number): readonly Given[] => [
    { id: `p${at}`, trace: `t${at}`, name: 'image.pull', startMs: at, endMs: at + 10, request: { reference: 'lazy' } },
    {
      id: `l${at}`,
      trace: `t${at}`,
      parent: `p${at}`,
      name: 'image.layers',
      startMs: at,
      endMs: at,
      response: { from: 0, layers: [layer('a', 1000)] },
    },
  ];
  const world = worldOf(
    ...pullOf(0),
    fill('f1', 5, { endMs: 500 }, { state: 'whole', reads: 3 }),
    ...pullOf(1000),
    fill('f2', 1005, {}, { state: 'progress', bytes: 200 }),
  );
  expect(transfers(world, 1100).map(({ layers, movedBytes }) => [layers[0]?.fill, movedBytes])).toEqual([
    [{ span: 'f2', startMs: 1005, bytes: 200 }, 200],
    [{ span: 'f1', startMs: 5, endMs: 500, bytes: 1000, reads: 3 }, 1000],
  ]);
});

test('a push that fails, with a payload that is none, is shown as far as it came', () => {
  const error = { code: 'E', message: 'the client has left' };
  const world = worldOf(
    {
      id: 'p',
      name: 'image.push',
      endMs: 9,
      error,
      request: { name: 'reg/x' },
      response: { origin: 'http://reg' },
    },
    { id: 'l0', parent: 'p', name: 'image.layers', endMs: 9, response: { from: 'x', layers: [layer('a', 10), 7, null] } },
    {
      id: 'a',
      parent: 'p',
      name: 'layer.upload',
      endMs: 9,
      error,
      request: { digest: 'a', sizeBytes: 10 },
      response: { state: 'failed', points: 'x' },
    },
    {
      id: 'm',
      parent: 'p',
      name: 'layer.upload',
      endMs: 9,
      request: { digest: 'm', sizeBytes: 3 },
      response: { state: 'mounted', bytes: 3, from: 'other' },
    },
  );
  expect(transfers(world)).toMatchObject([
    {
      kind: 'push',
      origin: 'http://reg',
      error,
      sparedBytes: 3,
      layers: [
        { digest: 'a', move: { state: 'failed', error: 'the client has left', points: [] } },
        { digest: 'm', move: { state: 'mounted', from: 'other' } },
      ],
    },
  ]);
});

const plan = {
  target: 2,
  stages: [
    { stage: 0, name: 'base', from: 'busybox', line: 1, needs: [], steps: [{ line: 2, text: 'RUN make' }] },
    { stage: 1, name: 'never', from: 'busybox', line: 3, needs: [], steps: [{ line: 4, text: 'RUN no' }] },
    {
      stage: 2,
      from: 'scratch',
      line: 5,
      needs: [0, 2, 9],
      steps: [
        { line: 6, text: 'COPY --from=base /a /a' },
        { line: 7, text: 'RUN end' },
      ],
    },
  ],
};

test('a build: stages with what they need, steps with cache, time and size, and those still to come', () => {
  const running = [
    { id: 'b', name: 'build', request: { names: ['app'] } },
    { id: 'pl', parent: 'b', name: 'build.plan', endMs: 1, response: plan },
    { id: 's0', parent: 'b', name: 'build.stage', endMs: 50, request: { stage: 0, from: 'busybox', name: 'base' } },
    {
      id: 'x',
      parent: 's0',
      name: 'build.step',
      startMs: 10,
      endMs: 40,
      request: { stage: 0, line: 2, instruction: 'RUN make' },
      response: { cached: false, miss: { reason: 'files', detail: ['/a'] }, layer: { digest: 'd', sizeBytes: 99 } },
    },
    { id: 's2', parent: 'b', name: 'build.stage', startMs: 50, request: { stage: 2, from: 'scratch' } },
    { id: 'y', parent: 's2', name: 'build.step', startMs: 60, request: { stage: 2, line: 6, instruction: 'COPY --from=base /a /a' } },
  ];
  const [build] = builds(worldOf(...running), 100);
  expect(build).toMatchObject({ names: ['app'], durationMs: 100, hits: 0, misses: 1, sizeBytes: 99 });
  expect(build?.stages.map(({ state, needs, isTarget }) => [state, needs, isTarget])).toEqual([
    ['done', [], false],
    ['left-out', [], false],
    ['running', [0], true],
  ]);
  expect(build?.stages[0]?.steps).toMatchObject([
    { state: 'done', durationMs: 30, cached: false, miss: { reason: 'files', detail: ['/a'] }, sizeBytes: 99 },
  ]);
  expect(build?.stages[2]?.steps.map(({ state }) => state)).toEqual(['running', 'waiting']);

  const failed = worldOf(
    ...running.slice(0, 5),
    {
      id: 'y',
      parent: 's2',
      name: 'build.step',
      startMs: 60,
      endMs: 70,
      error: { code: 'E', message: 'line 6: no' },
      request: { stage: 2, line: 6 },
    },
    { id: 'b', name: 'build', endMs: 70, error: { code: 'E', message: 'line 6: no' }, request: { names: ['app'] } },
  );
  expect(builds(failed)[0]).toMatchObject({ error: { line: 6 }, stages: [{}, {}, { steps: [{ state: 'failed', error: 'line 6: no' }] }] });
});

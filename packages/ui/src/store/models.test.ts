import type { BuildStage, DiskFact, Transfer, TransferLayer } from '@slipway/journal';
import { expect, test } from 'vitest';
import { HEAD_HEIGHT, layoutBuild, stepNote } from './build-layout.ts';
import { containersSentence, diskRows, matching, sumOf } from './disk-model.ts';
import { axisOf, barsOf, courseOf, marksOf, originText, totalsSentence } from './transfer-model.ts';

const MIB = 1024 ** 2;
const disk = (snapshotter: DiskFact['snapshotter'], each: number): DiskFact => ({
  root: '/r',
  snapshotter,
  totalBytes: 2000 * MIB,
  freeBytes: 1000 * MIB,
  blobBytes: 3 * MIB,
  layers: [
    { chainId: 'sha256:1', diskBytes: 2 * MIB, images: ['docker.io/library/big:latest', 'docker.io/library/busybox:latest'] },
    { chainId: 'sha256:2', diskBytes: 250 * MIB, images: ['docker.io/library/big:latest'] },
  ],
  containers: ['a', 'b'].map((id) => ({
    id,
    name: id,
    image: 'big',
    diskBytes: each,
    seenBytes: snapshotter === 'native' ? each : 252 * MIB + each,
  })),
  pendingBytes: 0,
  buildBytes: 0,
});

test('the disk’s rows: what each container wrote, then layers once each, then what is beside them', () => {
  const rows = diskRows(disk('overlay', 8192));
  expect(rows.map(({ kind, detail }) => [kind, detail])).toEqual([
    ['container', 'what it wrote over big'],
    ['container', 'what it wrote over big'],
    ['layer', 'of big'],
    ['layer', 'shared by big, busybox'],
    ['blobs', 'compressed layers, manifests, configurations'],
  ]);
  expect(sumOf(rows, 'layer')).toBe(252 * MIB);
  expect(matching(rows, 'SHARED')).toHaveLength(1);
});

test('a layer that all machines share takes nothing here, and says so', () => {
  const fact = disk('overlay', 8192);
  const rows = diskRows({ ...fact, layers: fact.layers.map((layer) => ({ ...layer, elsewhere: layer.chainId === 'sha256:2' })) });
  expect(rows.find(({ key }) => key === 'sha256:2')).toMatchObject({
    detail: 'of big; its 250 MiB are shared by all machines and not on this disk',
    bytes: 0,
  });
  expect(sumOf(rows, 'layer')).toBe(2 * MIB);
});

test('what containers see beside what they take, as layers and as copies', () => {
  expect(containersSentence(disk('overlay', 8192))).toBe(
    '2 containers see 504 MiB of files and take 16 KiB beside the image: its layers are there once.',
  );
  expect(containersSentence(disk('native', 252 * MIB))).toBe(
    '2 containers see 504 MiB of files and take 504 MiB: each is a whole copy of its image.',
  );
});

test('a layer that came after its pull is on the axis, and says how much of it is here', () => {
  const lazy: TransferLayer = { digest: 'sha256:a', sizeBytes: 2 * MIB, fill: { span: 'f', startMs: 100, bytes: MIB } };
  const going = { kind: 'pull', startMs: 0, endMs: 200, layers: [lazy] } as unknown as Transfer;
  const axis = axisOf(going, 1000);
  expect(axis).toEqual({ startMs: 0, lengthMs: 1000 });
  expect(barsOf(lazy, 'pull', axis)).toEqual([{ phase: 'filling', from: 0.1, to: 1, failed: false }]);
  expect(marksOf(lazy)).toEqual([{ tone: 'warn', text: 'lazy: can be read, 1 MiB of 2 MiB are here' }]);
  const whole = { ...lazy, fill: { span: 'f', startMs: 100, endMs: 600, bytes: 2 * MIB, reads: 3 } };
  expect(axisOf({ ...going, layers: [whole] }, 1000).lengthMs).toBe(600);
  expect(marksOf(whole)).toEqual([{ tone: 'good', text: 'lazy: read before it was whole, 3 parts waited for' }]);
});

const layer: TransferLayer = {
  digest: 'sha256:a',
  sizeBytes: 1000,
  move: {
    span: 'm',
    startMs: 100,
    endMs: 220,
    state: 'done',
    bytes: 1000,
    resumedAt: 500,
    retries: 1,
    isShared: false,
    arrivedMs: 200,
    points: [{ atMs: 150, bytes: 800 }],
  },
  unpack: { span: 'u', startMs: 220, endMs: 300, state: 'done' },
};
const pull: Transfer = {
  id: 'p',
  kind: 'pull',
  name: 'x',
  startMs: 100,
  endMs: 300,
  origin: 'http://mirror',
  isMirror: true,
  layers: [layer],
  totalBytes: 1000,
  movedBytes: 500,
  sparedBytes: 500,
};

test('a layer arrives, is verified and unpacked, to one scale; what an attempt before left is marked', () => {
  const axis = axisOf(pull, 9999);
  expect(barsOf(layer, 'pull', axis)).toEqual([
    { phase: 'arriving', from: 0, to: 0.5, failed: false },
    { phase: 'verifying', from: 0.5, to: 0.6, failed: false },
    { phase: 'unpacking', from: 0.6, to: 1, failed: false },
  ]);
  expect(layer.move && courseOf(layer.move, 1000, axis)).toEqual([
    [0, 0.5],
    [0.5, 0.8],
    [1, 1],
  ]);
  expect(marksOf(layer).map(({ text }) => text)).toEqual(['resumed at 500 B', '1 retry']);
  expect(originText(pull)).toBe('http://mirror, a mirror');
  expect(totalsSentence(pull)).toBe('1 layer, 1 KiB in all: 500 B came, 500 B did not have to');
});

test('what was here has no bar, and says so; what waits says that', () => {
  const here = {
    ...layer,
    move: { span: 'm', startMs: 100, endMs: 100, state: 'exists', bytes: 1000, resumedAt: 0, retries: 0, isShared: false, points: [] },
  } as const;
  expect(barsOf(here, 'pull', axisOf(pull, 0))).toMatchObject([{ phase: 'unpacking' }]);
  expect(marksOf(here)).toEqual([{ tone: 'good', text: 'already here' }]);
  expect(marksOf({ digest: 'd', sizeBytes: 1 })).toEqual([{ tone: 'plain', text: 'waits' }]);
});

const stage = (number: number, needs: readonly number[], steps: BuildStage['steps'] = []): BuildStage => ({
  stage: number,
  from: 'x',
  needs,
  state: 'done',
  isTarget: false,
  steps,
});

test('stages stand after what they need: in columns where there is room, else one below the other', () => {
  const step = { line: 2, text: 'RUN x', state: 'done', miss: { reason: 'files', detail: ['/a'] } } as const;
  const stages = [stage(0, [], [step]), stage(1, []), stage(2, [0, 1])];
  const wide = layoutBuild({ stages }, 1000);
  expect(wide.boxes.map(({ x, y }) => [x > 0, y > HEAD_HEIGHT])).toEqual([
    [false, false],
    [false, true],
    [true, false],
  ]);
  expect(wide.edges.map(({ key }) => key)).toEqual(['0 2', '1 2']);
  const narrow = layoutBuild({ stages }, 340);
  expect(new Set(narrow.boxes.map(({ x }) => x)).size).toBe(1);
  expect(narrow.boxes.map(({ y }) => y)).toEqual(narrow.boxes.map(({ y }) => y).toSorted((a, b) => a - b));
  expect(narrow.width).toBeLessThanOrEqual(340);
  expect(stepNote(step)).toBe('done again: changed /a');
});

import type { LayerEntryKind, LayerLook } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { deletionSentence, type MergedEntry, mergeLayers } from './merge.ts';

const layer = (names: Readonly<Record<string, LayerEntryKind>>, more: Partial<LayerLook> = {}): LayerLook => ({
  at: 'directory',
  hides: false,
  truncated: false,
  entries: Object.entries(names).map(([name, kind]) => ({ name, kind, sizeBytes: 10, blocksBytes: kind === 'file' ? 4096 : 0 })),
  ...more,
});
const find = (layers: readonly LayerLook[], wanted: string): MergedEntry | undefined =>
  mergeLayers(layers).find(({ name }) => name === wanted);

test('the topmost layer that has a name decides, and the copies below are told with their bytes', () => {
  const layers = [layer({ motd: 'file' }), layer({ motd: 'file' }), layer({ motd: 'file' })];
  expect(find(layers, 'motd')).toMatchObject({ servedBy: 2, below: [1, 0], coveredBytes: 8192 });
});

test('names of all layers are seen together, in order', () => {
  expect(mergeLayers([layer({ b: 'file', d: 'directory' }), layer({ a: 'file', d: 'directory' })]).map(({ name }) => name)).toEqual([
    'a',
    'b',
    'd',
  ]);
});

test('a whiteout is told where it hides something, and left out where it does not', () => {
  const layers = [layer({ old: 'file' }), layer({ old: 'whiteout', never: 'whiteout' })];
  expect(mergeLayers(layers)).toEqual([expect.objectContaining({ name: 'old', kind: 'whiteout', servedBy: 1, below: [0] })]);
});

test('under a layer that hides, only its own names are seen; what it covers is still counted', () => {
  const layers = [layer({ secret: 'file', kept: 'file' }), layer({ kept: 'file' }, { hides: true })];
  expect(mergeLayers(layers)).toEqual([expect.objectContaining({ name: 'kept', servedBy: 1, below: [0], coveredBytes: 4096 })]);
});

test('a layer that is missing here changes nothing', () => {
  expect(find([layer({ a: 'file' }), layer({}, { at: 'missing' })], 'a')).toMatchObject({ servedBy: 0 });
});

test.each([
  ['the image’s', [layer({ f: 'file' }), layer({})], 'nothing gets smaller'],
  ['its own', [layer({}), layer({ f: 'file' })], 'no whiteout is needed'],
  ['a copy', [layer({ f: 'file' }), layer({ f: 'file' })], 'get a whiteout instead'],
  ['deleted', [layer({ f: 'file' }), layer({ f: 'whiteout' })], 'deleted already'],
] as const)('what deleting %s file would do', (_, layers, says) => {
  expect(deletionSentence(find(layers, 'f') as MergedEntry, 1)).toContain(says);
});

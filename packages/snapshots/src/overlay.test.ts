import { expect, test } from 'vitest';
import { openOverlaySnapshotter, planOverlayMounts } from './overlay.ts';

const stack = (count: number, readOnly = false) => ({
  own: '/s/9',
  below: Array.from({ length: count }, (_, i) => `/s/${count - i}`),
  readOnly,
});

test('two layers below', () => {
  expect(planOverlayMounts(stack(2), true)).toEqual([
    { type: 'overlay', source: 'overlay', options: ['lowerdir=/s/2/fs:/s/1/fs', 'upperdir=/s/9/fs', 'workdir=/s/9/work', 'userxattr'] },
  ]);
});

test('nothing below is a bind mount', () => {
  expect(planOverlayMounts(stack(0), false)).toEqual([{ type: 'bind', source: '/s/9/fs', options: ['rbind', 'rw'] }]);
});

test('a view of one layer binds that layer; of two it needs no upper directory', () => {
  expect(planOverlayMounts(stack(1, true), false)).toEqual([{ type: 'bind', source: '/s/1/fs', options: ['rbind', 'ro'] }]);
  expect(planOverlayMounts(stack(2, true), false)).toEqual([
    { type: 'overlay', source: 'overlay', options: ['ro', 'lowerdir=/s/2/fs:/s/1/fs'] },
  ]);
});

test('more layers than the kernel stacks are refused', () => {
  expect(planOverlayMounts(stack(500), false)).toHaveLength(1);
  expect(() => planOverlayMounts(stack(501), false)).toThrow(expect.objectContaining({ code: 'E_OVERLAY_LAYERS' }));
});

test.each(['relative', '/a:b', '/a,b', '/a b', '/a"b'])('root %j cannot stand in mount options', async (root) => {
  await expect(openOverlaySnapshotter({ root })).rejects.toMatchObject({ code: 'E_SNAPSHOT_ROOT' });
});

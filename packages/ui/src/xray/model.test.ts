import type { XrayEntry } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { diffNote, entryNote, layerSums, showPart, wasteSentence } from './model.ts';

const part = (content: string | Buffer, offset = 0) => showPart({ bytes: Buffer.from(content).toString('base64'), offset });
const entry = (more: Partial<XrayEntry>): XrayEntry => ({
  name: 'motd',
  kind: 'file',
  mark: 'added',
  layer: 0,
  sizeBytes: 10,
  mode: 0o644,
  uid: 0,
  gid: 0,
  ...more,
});

test('text is shown as text, also where a part ends within a sign', () => {
  expect(part('root:x:0\n')).toEqual({ form: 'text', text: 'root:x:0\n' });
  expect(part(Buffer.from('grün').subarray(0, 3))).toEqual({ form: 'text', text: 'gr' });
});

test('what is no text is shown as hexdump does, from its offset', () => {
  expect(part(Buffer.from('\u007fELF\u0000\u00ff', 'latin1'), 32)).toEqual({
    form: 'hex',
    lines: ['00000020  7f 45 4c 46 00 ff                                |.ELF..|'],
  });
  expect(part(Buffer.alloc(32_768))).toMatchObject({ form: 'hex', lines: { length: 256 } });
});

test.each([
  [entry({}), false, 'added'],
  [entry({ coveredBy: 2 }), true, 'added in image layer 1; covered by image layer 3'],
  [entry({ kind: 'whiteout', mark: 'removed', layer: 4 }), true, 'removed by a whiteout in image layer 5'],
  [entry({ kind: 'symlink', target: '/bin/busybox' }), false, 'added; → /bin/busybox'],
  [
    entry({ kind: 'directory', mark: 'kept', below: { added: 1, changed: 0, removed: 2, bytes: 1024, wastedBytes: 512 } }),
    false,
    'as below; below: +1 added · ✕2 removed, 1 KiB, 512 B wasted',
  ],
])('an entry says what became of it (%#)', (told, inAll, note) => {
  expect(entryNote(told, inAll)).toBe(note);
});

test('sums and differences in words', () => {
  expect(layerSums({ added: 0, changed: 0, removed: 0 })).toBe('nothing');
  expect(diffNote({ path: '/a', change: 'changed', kind: 'file', fromBytes: 1, toBytes: 2, what: ['content', 'mode'] })).toBe(
    'content, mode, 1 B → 2 B',
  );
  expect(wasteSentence(0, 1024, 1)).toContain('sees every byte');
  expect(wasteSentence(10, 1024, 2)).toContain('10 B of it no container can see');
});

/** The form itself: what is written is read again, ordinary readers find an ordinary layer, and lies in an index are found. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { readTar, tarEnd, tarMember } from '@slipway/layers';
import { digestOf } from '@slipway/oci';
import { expect, test } from 'vitest';
import { openChunk } from '../chunk-bytes.ts';
import { FOOTER_BYTES, formatFooter, parseFooter } from './footer.ts';
import { parseToc } from './toc.ts';
import { EstargzWriter } from './write.ts';

const CONTENT = Buffer.from(Array.from({ length: 2500 }, (_, at) => at % 251));
const TAR = Buffer.concat([
  tarMember({ name: './dir/', type: 'directory', mtime: 1_700_000_000.25 }),
  tarMember({ name: 'dir/file', type: 'file', mode: 0o4755, uid: 7, xattrs: new Map([['user.a', Buffer.from([0, 255])]]) }, CONTENT),
  tarMember({ name: 'link', type: 'symlink', linkName: '/dir/file' }),
  tarEnd(),
]);

async function* once(bytes: Uint8Array) {
  yield bytes;
}

async function write(chunkBytes: number) {
  const writer = new EstargzWriter({ chunkBytes });
  const blob = Buffer.concat(await Array.fromAsync(writer.blob(once(TAR))));
  const tocOffset = parseFooter(blob.subarray(-FOOTER_BYTES)) ?? 0;
  const tar = gunzipSync(blob.subarray(tocOffset, -FOOTER_BYTES));
  const toc = tar.subarray(512, 512 + Number.parseInt(tar.toString('latin1', 124, 135), 8));
  return { blob, toc, tocOffset, result: writer.result };
}

test('a layer is ordinary gzip with the same members, and its digests are right', async () => {
  const { blob, toc, result } = await write(1000);
  const tar = gunzipSync(blob);
  expect(result).toMatchObject({ blobDigest: digestOf(blob), diffId: digestOf(tar), tarBytes: tar.byteLength, tocDigest: digestOf(toc) });
  const names: string[] = [];
  for await (const { entry } of readTar(once(tar))) names.push(entry.name);
  expect(names).toEqual(['./dir/', 'dir/file', 'link', 'stargz.index.json']);
});

test('every piece comes out of the blob by itself, and one that was changed does not', async () => {
  const { blob, toc, tocOffset } = await write(1000);
  const file = parseToc(toc, tocOffset).find(({ name }) => name === 'dir/file');
  expect(file).toMatchObject({ mode: 0o4755, uid: 7, sizeBytes: 2500 });
  expect(file?.xattrs.get('user.a')).toEqual(Buffer.from([0, 255]));
  const pieces = await Promise.all((file?.chunks ?? []).map((chunk) => openChunk(blob.subarray(chunk.offset, chunk.end), chunk)));
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([1000, 1000, 500]);
  expect(Buffer.concat(pieces)).toEqual(CONTENT);
  const [first] = file?.chunks ?? [];
  if (first === undefined) throw new Error('no piece');
  const other = { ...first, digest: `sha256:${createHash('sha256').update('other').digest('hex')}` };
  await expect(openChunk(blob.subarray(first.offset, first.end), other)).rejects.toMatchObject({ code: 'E_LAZY_CHUNK' });
  await expect(openChunk(Buffer.from('no gzip'), first)).rejects.toMatchObject({ code: 'E_LAZY_CHUNK' });
});

test('times keep their fractions', async () => {
  const { toc, tocOffset } = await write(1000);
  expect(parseToc(toc, tocOffset).find(({ type }) => type === 'dir')?.mtimeNs).toBe(1_700_000_000_250_000_000n);
});

test('a footer says where the index begins; anything else is none', () => {
  expect(formatFooter(0x1234).byteLength).toBe(FOOTER_BYTES);
  expect(gunzipSync(formatFooter(5)).byteLength).toBe(0);
  expect(parseFooter(formatFooter(0x1234))).toBe(0x1234);
  expect(parseFooter(Buffer.alloc(FOOTER_BYTES))).toBeUndefined();
});

const DIGEST = `sha256:${'a'.repeat(64)}`;
const entry = { name: 'f', type: 'reg', size: 10, offset: 5, chunkDigest: DIGEST };
test.each([
  [
    'gaps',
    [
      { ...entry, chunkSize: 4 },
      { name: 'f', type: 'chunk', offset: 6, chunkOffset: 5, chunkSize: 5, chunkDigest: DIGEST },
    ],
  ],
  ['too little content', [{ ...entry, chunkSize: 4 }]],
  ['a piece behind the layer', [{ ...entry, offset: 100 }]],
  ['a piece without a digest', [{ ...entry, chunkDigest: undefined }]],
  ['sizes beyond reason', [{ ...entry, size: 1e15 }]],
  ['numbers below zero', [{ ...entry, size: -1 }]],
  [
    'content of a link',
    [
      { name: 'l', type: 'symlink' },
      { name: 'l', type: 'chunk', offset: 5, chunkSize: 1, chunkDigest: DIGEST },
    ],
  ],
  ['no type', [{ name: 'l' }]],
])('an index with %s is refused', (_what, entries) => {
  expect(() => parseToc(Buffer.from(JSON.stringify({ version: 1, entries })), 50)).toThrow(
    expect.objectContaining({ code: 'E_LAZY_INDEX' }),
  );
});

test('its twin that is right is taken', () => {
  const [file] = parseToc(Buffer.from(JSON.stringify({ version: 1, entries: [entry] })), 50);
  expect(file?.chunks).toEqual([{ offset: 5, end: 50, skip: 0, fileOffset: 0, sizeBytes: 10, digest: DIGEST }]);
});

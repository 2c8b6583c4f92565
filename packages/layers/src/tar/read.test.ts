import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { TarLimits } from './entry.ts';
import { parseNumber } from './header.ts';
import { formatPax, parsePax } from './pax.ts';
import { readTar } from './read.ts';
import { type EntryInit, tarEnd, tarHeader, tarMember, tarPadding } from './write.ts';

interface Seen {
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly [other: string]: unknown;
}

async function read(bytes: Uint8Array, limits: Partial<TarLimits> = {}): Promise<Seen[]> {
  const seen: Seen[] = [];
  async function* chunks() {
    for (let at = 0; at < bytes.byteLength; at += 700) yield bytes.subarray(at, at + 700);
  }
  for await (const { entry, content } of readTar(chunks(), limits)) {
    const whole = Buffer.alloc(entry.sizeBytes, '.');
    for await (const { offset, bytes: piece } of content) whole.set(piece, offset);
    seen.push({ ...entry, content: whole.toString() });
  }
  return seen;
}

const tape = (...parts: readonly Uint8Array[]) => Buffer.concat([...parts, tarEnd()]);
const file = (name: string): EntryInit => ({ name, type: 'file' });

/** A header with some bytes changed and the checksum made right again. */
function patched(header: Uint8Array, at: number, bytes: string): Buffer {
  const block = Buffer.from(header);
  block.write(bytes, at, 'latin1');
  block.fill(0x20, 148, 156);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** An extension member such as `x`, `g`, `L`, with its content. */
function extension(flag: string, body: Uint8Array | string): Buffer {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([
    patched(tarHeader({ name: 'extension', type: 'file', sizeBytes: bytes.length }), 156, flag),
    bytes,
    tarPadding(bytes.length),
  ]);
}

const pax = (...records: [string, string][]) => extension('x', formatPax(records.map(([key, value]) => [key, Buffer.from(value)])));
const refused = expect.objectContaining({ code: expect.stringMatching(/^E_TAR_(MALFORMED|LIMIT)$/) });

describe('what was written is read again', () => {
  test('names that need pax, large ids, fractions, binary attributes', async () => {
    const long = `${'d/'.repeat(120)}f`;
    const value = Buffer.from([1, 0, 10, 61, 255, 2]);
    const bytes = tape(
      tarMember({ ...file(long), uid: 5_000_000, gid: 2 ** 31, mtime: 1.5, xattrs: new Map([['security.capability', value]]) }, 'abc'),
      tarMember({ name: 'l', type: 'symlink', linkName: `/${'x'.repeat(200)}` }),
      tarMember(file('ümlaut')),
    );

    expect(await read(bytes)).toMatchObject([
      { name: long, uid: 5_000_000, gid: 2 ** 31, mtime: 1.5, content: 'abc', xattrs: new Map([['security.capability', value]]) },
      { name: 'l', type: 'symlink', linkName: `/${'x'.repeat(200)}` },
      { name: 'ümlaut' },
    ]);
  });

  test('content that nobody reads is skipped', async () => {
    const names: string[] = [];
    for await (const { entry } of readTar(Readable.from([tape(tarMember(file('a'), 'x'.repeat(5000)), tarMember(file('b')))])))
      names.push(entry.name);

    expect(names).toEqual(['a', 'b']);
  });

  test('pax records survive a length that grows by counting itself', () => {
    for (let size = 80; size < 120; size++) {
      const records: [string, Uint8Array][] = [['k', Buffer.alloc(size, 'v')]];
      expect(parsePax(formatPax(records))).toEqual(records);
    }
  });
});

describe('GNU forms', () => {
  test('long name and long link', async () => {
    const [name, target] = ['n'.repeat(300), 't'.repeat(300)];
    const bytes = tape(
      extension('K', `${target}\0`),
      extension('L', `${name}\0`),
      tarMember({ name: 'short', type: 'symlink', linkName: 'short' }),
    );

    expect(await read(bytes)).toMatchObject([{ name, linkName: target, type: 'symlink' }]);
  });

  test('numbers in base 256, also negative times', () => {
    const field = (...bytes: number[]) => Uint8Array.from(bytes);
    expect(parseNumber(field(0x80, 0, 0, 0, 1, 0, 0, 0), 'x')).toBe(2 ** 24);
    expect(parseNumber(field(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe), 'x')).toBe(-2);
    expect(() => parseNumber(field(0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 'x')).toThrow(refused);
  });

  test.each([
    ['padded with spaces', '   644 \0', 0o644],
    ['without an end', '00000644', 0o644],
    ['empty', '\0\0\0\0\0\0\0\0', 0],
  ])('octal %s', (_name, text, value) => {
    expect(parseNumber(Buffer.from(text, 'latin1'), 'x')).toBe(value);
  });
});

describe('sizes [B13]', () => {
  test('pax size outranks the header, as in GNU tar and bsdtar', async () => {
    const header = tarHeader({ ...file('f'), sizeBytes: 0 });

    expect(await read(tape(pax(['size', '5']), header, Buffer.from('hello'), tarPadding(5), tarMember(file('g'))))).toMatchObject([
      { name: 'f', content: 'hello' },
      { name: 'g' },
    ]);
  });

  const hidden = tarMember(file('hidden'));
  test.each<[string, Uint8Array]>([
    ['pax before a GNU long name', tape(pax(['size', '0']), extension('L', 'long\0'), tarMember(file('f'), hidden))],
    ['a GNU long name before pax', tape(extension('L', 'long\0'), pax(['size', '0']), tarMember(file('f')))],
    ['two pax headers', tape(pax(['size', '0']), pax(['size', '512']), tarMember(file('f')))],
    ['a global size', tape(extension('g', formatPax([['size', Buffer.from('0')]])), tarMember(file('f'), hidden))],
    ['a global path', tape(extension('g', formatPax([['path', Buffer.from('x')]])), tarMember(file('f')))],
    ['a directory with content', tape(patched(tarHeader({ name: 'd', type: 'directory' }), 124, '00000001000'), hidden)],
    ['a hard link with content', tape(patched(tarHeader({ name: 'h', type: 'hardlink', linkName: 'x' }), 124, '00000001000'), hidden)],
    ['a negative pax size', tape(pax(['size', '-512']), tarMember(file('f')))],
    ['a pax size in hexadecimal', tape(pax(['size', '0x10']), tarMember(file('f')))],
  ])('%s is refused', async (_name, bytes) => {
    await expect(read(bytes)).rejects.toEqual(refused);
  });

  test('a global comment, as git writes it, is not', async () => {
    expect(await read(tape(extension('g', formatPax([['comment', Buffer.from('abc')]])), tarMember(file('f'))))).toHaveLength(1);
  });
});

describe('numbers and NULs [B14]', () => {
  const header = tarHeader(file('f'));
  test.each<[string, Uint8Array]>([
    ['a negative size', patched(header, 124, '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00')],
    ['a size of 2^60', patched(header, 124, '\x80\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00')],
    ['a size that is no number', patched(header, 124, '00000x00000')],
    ['a wrong checksum', Buffer.from(header).fill('0', 148, 154)],
    ['an unknown member type', patched(header, 156, 'V')],
    ['a NUL in a pax path', tape(pax(['path', 'a\0b']), tarMember(file('f')))],
    ['a NUL in a pax link', tape(pax(['linkpath', 'a\0b']), tarMember({ name: 'l', type: 'symlink', linkName: 'x' }))],
    ['a name that is not UTF-8', patched(header, 0, '\xff\xfe')],
    ['a pax record that says it is longer', tape(extension('x', '99 path=x\n'), tarMember(file('f')))],
    ['a pax record of length zero', tape(extension('x', '0 path=x\n'), tarMember(file('f')))],
    ['a pax record without a key', tape(extension('x', '5 =x\n'), tarMember(file('f')))],
    ['a member without a name', tape(patched(header, 0, '\0'))],
  ])('%s is refused', async (_name, bytes) => {
    await expect(read(tape(bytes))).rejects.toEqual(refused);
  });
});

describe('what is no tar [B15]', () => {
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['noise', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 251))],
    ['half a header', tarHeader(file('f')).subarray(0, 300)],
    ['a member cut short', tarMember(file('f'), 'x'.repeat(2000)).subarray(0, 1500)],
    ['an extended header at the end', tape(pax(['path', 'x']))],
  ])('%s is refused', async (_name, bytes) => {
    await expect(read(bytes)).rejects.toEqual(refused);
  });

  test('an archive that ends with its last byte of content, as docker’s client sends contexts, is read; one that ends before is not', async () => {
    const whole = Buffer.concat([tarMember(file('a'), 'A'), tarHeader({ ...file('b'), sizeBytes: 3 }), Buffer.from('bbb')]);
    expect((await read(whole)).map(({ content }) => content)).toEqual(['A', 'bbb']);
    await expect(read(whole.subarray(0, -1))).rejects.toMatchObject({ code: 'E_TAR_MALFORMED' });
  });

  test('an archive without closing blocks, or with noise after them, is read', async () => {
    expect(await read(tarMember(file('f'), 'x'))).toHaveLength(1);
    expect(await read(Buffer.concat([tape(tarMember(file('f'), 'x')), Buffer.alloc(3000, 7)]))).toHaveLength(1);
  });
});

describe('limits [B12]', () => {
  const sparse = (map: string, size: number) => pax(['GNU.sparse.map', map], ['GNU.sparse.size', String(size)]);
  test.each<[string, Uint8Array, Partial<TarLimits>]>([
    ['a pax header of 4 GB', patched(extension('x', ''), 124, '37777777777'), {}],
    ['a long name of 1 GB', patched(extension('L', ''), 124, '10000000000'), {}],
    ['a name of 5000 bytes', tape(extension('L', 'n'.repeat(5000)), tarMember(file('f'))), {}],
    ['many small extensions', tape(...Array.from({ length: 3000 }, () => extension('g', formatPax([['comment', Buffer.alloc(400)]])))), {}],
    ['too many members', tape(...Array.from({ length: 11 }, (_, i) => tarMember(file(`f${i}`)))), { maxEntries: 10 }],
    ['a huge file', tape(patched(tarHeader(file('f')), 124, '77777777777')), { maxFileBytes: 1000 }],
    ['a huge sparse file of no bytes', tape(sparse('0,0', 2 ** 45), tarMember(file('f'))), {}],
    ['a sparse map of a million pieces', tape(sparse('0,0,'.repeat(100_000).slice(0, -1), 1), tarMember(file('f'))), {}],
    ['more bytes than allowed', tape(tarMember(file('f'), 'x'.repeat(9000))), { maxTotalBytes: 5000 }],
  ])('%s is refused', async (_name, bytes, limits) => {
    await expect(read(bytes, limits)).rejects.toEqual(refused);
  });
});

describe('sparse files', () => {
  const data = Buffer.from('abXY');
  const body = (map: Uint8Array = new Uint8Array()) =>
    Buffer.concat([tarHeader({ ...file('f'), sizeBytes: map.length + 4 }), map, data, tarPadding(map.length + 4)]);
  const lines = Buffer.concat([Buffer.from('2\n3\n2\n8\n2\n'), Buffer.alloc(512 - 10)]);

  test.each<[string, Uint8Array]>([
    [
      '0.0',
      tape(
        pax(
          ['GNU.sparse.size', '12'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.offset', '3'],
          ['GNU.sparse.numbytes', '2'],
          ['GNU.sparse.offset', '8'],
          ['GNU.sparse.numbytes', '2'],
        ),
        body(),
      ),
    ],
    ['0.1', tape(pax(['GNU.sparse.size', '12'], ['GNU.sparse.map', '3,2,8,2'], ['GNU.sparse.name', 'real']), body())],
    [
      '1.0',
      tape(
        pax(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.name', 'real'], ['GNU.sparse.realsize', '12']),
        body(lines),
      ),
    ],
  ])('format %s', async (format, bytes) => {
    expect(await read(bytes)).toMatchObject([{ name: format === '0.0' ? 'f' : 'real', content: '...ab...XY..', sizeBytes: 12 }]);
  });

  test.each([
    ['overlapping pieces', '3,2,4,2'],
    ['a piece outside the file', '3,2,11,2'],
    ['fewer bytes than the content has', '3,2'],
    ['an odd count', '3,2,8'],
    ['words', 'a,b'],
  ])('%s are refused', async (_name, map) => {
    await expect(read(tape(pax(['GNU.sparse.size', '12'], ['GNU.sparse.map', map]), body()))).rejects.toEqual(refused);
  });
});

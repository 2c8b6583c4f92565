import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { tarEnd, tarMember } from '@slipway/layers';
import { hostTest } from '@slipway/testing';
import { expect } from 'vitest';
import { tarInside } from './added-archive.ts';

const TAR = Buffer.concat([tarMember({ name: 'f', type: 'file' }, 'x'.repeat(100_000)), tarEnd()]);
const pack = (program: string, bytes: Uint8Array) => execFileSync(program, ['--stdout'], { input: bytes, maxBuffer: 1024 ** 3 });
const readerOf = (bytes: Uint8Array) =>
  async function* () {
    for (let at = 0; at < bytes.byteLength; at += 10_000) yield bytes.subarray(at, at + 10_000);
  };
async function inside(bytes: Uint8Array): Promise<Buffer | undefined> {
  const tar = await tarInside(readerOf(bytes));
  if (tar === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk);
  return Buffer.concat(chunks);
}

hostTest('a tar is found in each of its wrappings', ['root'], async () => {
  for (const archive of [TAR, gzipSync(TAR), zstdCompressSync(TAR), pack('bzip2', TAR), pack('xz', TAR)])
    expect((await inside(archive))?.equals(TAR)).toBe(true);
});

hostTest('what is no tar, or is broken from its beginning, is no archive', ['root'], async () => {
  const text = Buffer.from('no archive '.repeat(100));
  const broken = [Buffer.from('BZh9 no archive'), Buffer.concat([Buffer.from('fd377a585a00', 'hex'), text])];
  for (const file of [text, Buffer.alloc(0), gzipSync(text), pack('bzip2', text), pack('xz', text), ...broken])
    expect(await inside(file)).toBeUndefined();
});

hostTest('an archive that ends too soon is refused in the words of who read it', ['root'], async () => {
  for (const program of ['bzip2', 'xz']) {
    const noise = Buffer.concat([tarMember({ name: 'f', type: 'file' }, randomBytes(1_000_000)), tarEnd()]);
    const archive = pack(program, noise);
    await expect(inside(archive.subarray(0, archive.byteLength - 20))).rejects.toMatchObject({
      code: 'E_LAYER_COMPRESSION',
      message: expect.stringMatching(/unexpected/i),
    });
  }
});

hostTest('a bomb is stopped by its ratio, honest bytes are not [B11]', ['root'], async () => {
  const limits = { maxTarBytes: 1e9, maxRatio: 50, ratioFromBytes: 1e6 };
  const archive = (bytes: Uint8Array) => pack('bzip2', Buffer.concat([tarMember({ name: 'f', type: 'file' }, bytes), tarEnd()]));
  const sizeOf = async (bytes: Uint8Array) => {
    let size = 0;
    for await (const chunk of (await tarInside(readerOf(bytes), limits)) ?? []) size += chunk.byteLength;
    return size;
  };
  await expect(sizeOf(archive(Buffer.alloc(3_000_000)))).rejects.toMatchObject({ code: 'E_LAYER_BOMB' });
  expect(await sizeOf(archive(randomBytes(2_000_000)))).toBeGreaterThan(2_000_000);
});

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf, type LayerCompression, parseDiffId } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { tarEnd, tarMember } from './tar/write.ts';
import { type NextLayer, openUnpackSession, type UnpackReport, type UnpackRequest, unpackLayer } from './unpack.ts';

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'unpack-'));
  fs.mkdirSync(join(base, 'target'));
});
afterEach(() => fs.rmSync(base, { recursive: true }));

const TAR = Buffer.concat([tarMember({ name: 'd/f', type: 'file', mode: 0o600 }, 'hello'), tarEnd()]);
const DIFF_ID = parseDiffId(digestOf(TAR));

async function unpack(bytes: Uint8Array, compression: LayerCompression, more: Partial<UnpackRequest> = {}): Promise<UnpackReport> {
  const path = join(base, 'blob');
  fs.writeFileSync(path, bytes);
  const fd = fs.openSync(path, 'r');
  try {
    const blob = { fd, sizeBytes: bytes.byteLength };
    return await unpackLayer({ blob, compression, expected: {}, target: join(base, 'target'), lowers: [], whiteouts: 'remove', ...more });
  } finally {
    fs.closeSync(fd);
  }
}

const hello = () => fs.readFileSync(join(base, 'target/d/f'), 'utf8');
const skippable = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('skip')]);

describe('unpacking a layer in a worker', () => {
  const packed: readonly (readonly [string, Uint8Array, LayerCompression])[] = [
    ['plain', TAR, 'none'],
    ['gzip', gzipSync(TAR), 'gzip'],
    ['gzip of several members', Buffer.concat([gzipSync(TAR.subarray(0, 700)), gzipSync(TAR.subarray(700))]), 'gzip'],
    ['zstd', zstdCompressSync(TAR), 'zstd'],
    ['zstd of several frames', Buffer.concat([zstdCompressSync(TAR.subarray(0, 700)), zstdCompressSync(TAR.subarray(700))]), 'zstd'],
    ['zstd with a skippable frame before', Buffer.concat([skippable, zstdCompressSync(TAR)]), 'zstd'],
    ['zstd with a skippable frame after', Buffer.concat([zstdCompressSync(TAR), skippable]), 'zstd'],
    ['detected gzip', gzipSync(TAR), 'detect'],
    ['detected plain', TAR, 'detect'],
  ];
  for (const [title, bytes, compression] of packed) {
    hostTest(`${title}: with both digests checked`, ['root'], async () => {
      const expected = { blobDigest: digestOf(bytes), diffId: DIFF_ID };

      expect(await unpack(bytes, compression, { expected })).toEqual({
        members: 1,
        fileBytes: 5,
        tarBytes: TAR.length,
        warnings: [],
        diffId: DIFF_ID,
      });
      expect(hello()).toBe('hello');
    });
  }

  const broken: readonly (readonly [string, Uint8Array, LayerCompression, string])[] = [
    ['noise as gzip', Buffer.from('noise, not gzip'.repeat(100)), 'gzip', 'E_LAYER_COMPRESSION'],
    ['noise as zstd', Buffer.from('noise, not zstd'.repeat(100)), 'zstd', 'E_LAYER_COMPRESSION'],
    ['gzip declared as zstd', gzipSync(TAR), 'zstd', 'E_LAYER_COMPRESSION'],
    ['gzip declared as plain', gzipSync(TAR), 'none', 'E_TAR_MALFORMED'],
    ['gzip cut short', gzipSync(TAR).subarray(0, 60), 'gzip', 'E_LAYER_COMPRESSION'],
    ['zstd cut short', zstdCompressSync(Buffer.concat([createHash('sha512').update('x').digest(), TAR])).subarray(0, 60), 'zstd', 'E_'],
    ['an empty blob', new Uint8Array(), 'none', 'E_TAR_MALFORMED'],
    ['an empty blob as gzip', new Uint8Array(), 'gzip', 'E_'],
    ['gzip with something behind it', Buffer.concat([gzipSync(TAR), Buffer.alloc(1_000_000, 7)]), 'gzip', 'E_LAYER_COMPRESSION'],
  ];
  for (const [title, bytes, compression, code] of broken) {
    hostTest(`${title} is refused in time [B15]`, ['root'], async () => {
      const started = Date.now();

      await expect(unpack(bytes, compression)).rejects.toMatchObject({ kind: 'invalid-argument', code: expect.stringContaining(code) });
      expect(Date.now() - started).toBeLessThan(5000);
    });
  }

  hostTest('a wrong diff id is refused, and so is a blob that changed on disk [B16 B31]', ['root'], async () => {
    const other = parseDiffId(digestOf('other'));

    await expect(unpack(gzipSync(TAR), 'gzip', { expected: { diffId: other } })).rejects.toMatchObject({ code: 'E_LAYER_DIFF_ID' });
    await expect(unpack(gzipSync(TAR), 'gzip', { expected: { blobDigest: digestOf('other') } })).rejects.toMatchObject({
      kind: 'data-loss',
      code: 'E_BLOB_CORRUPT',
    });
  });

  hostTest('bytes that the disk changed are told from a layer that was made so', ['root'], async () => {
    const good = gzipSync(TAR);
    const changed = Buffer.from(good);
    changed.fill(0, 20, 30);

    await expect(unpack(changed, 'gzip', { expected: { blobDigest: digestOf(good), diffId: DIFF_ID } })).rejects.toMatchObject({
      kind: 'data-loss',
      code: 'E_BLOB_CORRUPT',
    });
    await expect(unpack(changed, 'gzip', { expected: { blobDigest: digestOf(changed), diffId: DIFF_ID } })).rejects.toMatchObject({
      kind: 'invalid-argument',
      code: 'E_LAYER_COMPRESSION',
    });
  });

  hostTest('a bomb is stopped by its ratio, honest zeros below the threshold are not [B11]', ['root'], async () => {
    const zeros = Buffer.concat([tarMember({ name: 'd/f', type: 'file' }, Buffer.alloc(20_000_000)), tarEnd()]);
    const limits = { ratioFromBytes: 4_000_000, maxRatio: 100 };

    await expect(unpack(gzipSync(zeros), 'gzip', { decompressLimits: limits })).rejects.toMatchObject({ code: 'E_LAYER_BOMB' });
    await expect(unpack(zstdCompressSync(zeros), 'zstd', { decompressLimits: limits })).rejects.toMatchObject({ code: 'E_LAYER_BOMB' });
    await expect(unpack(gzipSync(zeros), 'gzip')).resolves.toMatchObject({ fileBytes: 20_000_000 });
  });

  hostTest('whiteouts that one worker makes are names of one node, or of a new one when its layers are gone', ['root'], async () => {
    const place = (name: string) => join(base, name);
    for (const name of ['lower', 'one', 'two', 'three']) fs.mkdirSync(place(name));
    for (const name of ['a', 'b', 'c']) fs.writeFileSync(place(`lower/${name}`), '');
    const session = openUnpackSession({});
    const hide = async (name: string, target: string) => {
      const tar = Buffer.concat([tarMember({ name: `.wh.${name}`, type: 'file' }), tarEnd()]);
      await unpack(tar, 'none', { target: place(target), lowers: [place('lower')], whiteouts: 'overlay', session });
      return fs.statSync(place(`${target}/${name}`));
    };
    try {
      const { ino } = await hide('a', 'one');
      expect(await hide('b', 'two')).toMatchObject({ ino, rdev: 0, mode: 0o020600, nlink: 2 });
      for (const name of ['one', 'two']) fs.rmSync(place(name), { recursive: true });
      expect(await hide('c', 'three')).toMatchObject({ rdev: 0, mode: 0o020600, nlink: 1 });
    } finally {
      await session.close();
    }
  });

  hostTest('a worker that is told what comes next unpacks that too, or says of it alone what is wrong', ['root'], async () => {
    const session = openUnpackSession({});
    const gzipped = gzipSync(TAR);
    const [fine, broken] = [gzipped, gzipped.subarray(0, -20)].map((bytes, at) => {
      fs.writeFileSync(join(base, `next-${at}`), bytes);
      const blob = { fd: fs.openSync(join(base, `next-${at}`), 'r'), sizeBytes: bytes.byteLength };
      return { blob, compression: 'gzip' as const, blobDigest: digestOf(bytes) };
    }) as [NextLayer, NextLayer];
    const asked = ({ blob, blobDigest }: NextLayer) => ({ blob, session, expected: { blobDigest, diffId: DIFF_ID } });
    try {
      await unpack(TAR, 'none', { session, next: fine });
      fs.rmSync(join(base, 'target/d'), { recursive: true });
      await unpack(gzipped, 'gzip', { ...asked(fine), next: broken });
      expect(hello()).toBe('hello');
      await expect(unpack(gzipped, 'gzip', asked(broken))).rejects.toMatchObject({ code: 'E_LAYER_COMPRESSION' });
      await expect(unpack(gzipped, 'gzip', asked(fine))).resolves.toMatchObject({ members: 1 });
    } finally {
      await session.close();
      for (const { blob } of [fine, broken]) fs.closeSync(blob.fd);
    }
  });

  hostTest('an aborted unpack ends its worker', ['root'], async () => {
    await expect(unpack(TAR, 'none', { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  hostTest('a worker that cannot write says what the kernel said', ['root'], async () => {
    const { execFileSync } = await import('node:child_process');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', join(base, 'target')]);
    try {
      const big = Buffer.concat([tarMember({ name: 'f', type: 'file' }, Buffer.alloc(1_000_000, 1)), tarEnd()]);
      await expect(unpack(big, 'none')).rejects.toMatchObject({ kind: 'failed-precondition', code: 'E_DISK_FULL' });
    } finally {
      execFileSync('umount', [join(base, 'target')]);
    }
  });
});

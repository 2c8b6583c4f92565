/** Upload sessions: whose they are, how many, for how long, and what stays of them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDigest } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { testBlob } from './testing/images.ts';
import { locationOf, pushBlob, startUpload, withDigest } from './testing/pushing.ts';
import { errorCodes, send } from './testing/registry-client.ts';
import { startRegistry, type TestRegistry } from './testing/test-registry.ts';

let registry: TestRegistry;
afterEach(async () => {
  expect(registry.internalErrors).toEqual([]);
  await registry.close();
});

const begun = () => readdirSync(join(registry.root, 'content/ingests'));
const blobs = () => readdirSync(join(registry.root, 'content/blobs/sha256'));

describe('an upload session [B37]', () => {
  test('is found in its own repository only; a guess, or a path, finds nothing', async () => {
    registry = await startRegistry();
    const mine = await startUpload(registry.origin, 'alice/app');
    const id = mine.split('/').at(-1) ?? '';
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const other of [`mallory/app/blobs/uploads/${id}`, `alice/app/blobs/uploads/${'0'.repeat(36)}`, 'alice/app/blobs/uploads/..']) {
      for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
        const path = `/v2/${other}?digest=${testBlob('x').descriptor.digest}`;
        const reply = await send(registry.origin, method, path, method === 'PATCH' ? { body: 'x' } : {});
        expect([reply.status, errorCodes(reply)]).toEqual([404, [other.endsWith('..') ? 'NAME_UNKNOWN' : 'BLOB_UPLOAD_UNKNOWN']]);
      }
    }
    // The twin: its owner goes on.
    const blob = testBlob('mine');
    expect((await send(registry.origin, 'PUT', withDigest(mine, blob.descriptor.digest), { body: blob.bytes })).status).toBe(201);
  });

  test('a thousand that are begun and left cost neither files nor more than the limit of sessions', async () => {
    registry = await startRegistry({ uploads: { maxSessions: 100 } });
    const statuses: number[] = [];
    for (let at = 0; at < 1000; at++) statuses.push((await send(registry.origin, 'POST', '/v2/a/blobs/uploads/', { body: '' })).status);
    expect(new Set(statuses.slice(0, 100))).toEqual(new Set([202]));
    expect(new Set(statuses.slice(100))).toEqual(new Set([429]));
    expect(begun()).toEqual([]);
    // Twin: once they have expired, there is room again.
    vi.useFakeTimers({ now: Date.now() + 2 * 3_600_000, toFake: ['Date'] });
    await registry.store.tidy();
    vi.useRealTimers();
    await pushBlob(registry.origin, 'a', testBlob('room again'));
  });

  test('left with bytes in it, it expires and frees the disk; one that is written to does not', async () => {
    registry = await startRegistry({ uploads: { idleMs: 60_000 } });
    const left = await startUpload(registry.origin, 'a');
    await send(registry.origin, 'PATCH', left, { body: 'x'.repeat(100_000) });
    expect(begun()).toHaveLength(1);
    await registry.store.tidy();
    expect(begun()).toHaveLength(1);
    vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] });
    await registry.store.tidy();
    vi.useRealTimers();
    expect(begun()).toEqual([]);
    expect((await send(registry.origin, 'GET', left)).status).toBe(404);
  });

  test('a client that breaks off goes on from where its bytes end', async () => {
    registry = await startRegistry();
    const blob = testBlob('0123456789'.repeat(20_000));
    const location = await startUpload(registry.origin, 'a');
    await breakOff(registry.origin, location, blob.bytes.subarray(0, 100_000), blob.bytes.byteLength);
    const patched = await vi.waitFor(async () => {
      const status = await send(registry.origin, 'GET', location);
      const offset = Number(/^0-(\d+)$/.exec(String(status.headers.range))?.[1]) + 1;
      expect(offset).toBeGreaterThan(1);
      const headers = { 'Content-Range': `${offset}-${blob.bytes.byteLength - 1}` };
      const reply = await send(registry.origin, 'PATCH', locationOf(status), { body: blob.bytes.subarray(offset), headers });
      expect(reply.status).toBe(202);
      return reply;
    });
    const done = await send(registry.origin, 'PUT', withDigest(locationOf(patched), blob.descriptor.digest), { body: '' });
    expect(done.status).toBe(201);
    expect((await send(registry.origin, 'GET', locationOf(done))).body).toEqual(blob.bytes);
  });

  test('is refused beyond the largest blob allowed, and its bytes are gone', async () => {
    registry = await startRegistry({ uploads: { maxBlobBytes: 1000 } });
    const location = await startUpload(registry.origin, 'a');
    const reply = await send(registry.origin, 'PATCH', location, { body: 'x'.repeat(1001) });
    expect([reply.status, errorCodes(reply)]).toEqual([413, ['SIZE_INVALID']]);
    expect(begun()).toEqual([]);
    await pushBlob(registry.origin, 'a', testBlob('x'.repeat(1000)));
  });

  test('a chunk must be as long as it says', async () => {
    registry = await startRegistry();
    const location = await startUpload(registry.origin, 'a');
    expect((await send(registry.origin, 'PATCH', location, { body: 'xyz', headers: { 'Content-Range': '0-9' } })).status).toBe(400);
    expect((await send(registry.origin, 'PATCH', location, { body: 'xyz', headers: { 'Content-Range': 'bytes' } })).status).toBe(416);
    expect((await send(registry.origin, 'PATCH', location, { body: 'xyz', headers: { 'Content-Range': '0-2' } })).status).toBe(202);
  });
});

test('what no manifest has named for the time of grace is tidied away, with bytes that nobody has', async () => {
  registry = await startRegistry();
  await pushBlob(registry.origin, 'a', testBlob('nobody’s'));
  await registry.store.tidy();
  expect(blobs()).toHaveLength(1);
  vi.useFakeTimers({ now: Date.now() + 1000, toFake: ['Date'] });
  await registry.store.tidy(0);
  vi.useRealTimers();
  expect(blobs()).toEqual([]);
});

test('a blob that a client was just told is here is not tidied away behind its back', async () => {
  registry = await startRegistry();
  const [first, second] = [testBlob('goes'), testBlob('stays')];
  for (const blob of [first, second]) await pushBlob(registry.origin, 'a', blob);
  vi.useFakeTimers({ now: Date.now() + 1000, toFake: ['Date'] });
  const tidying = registry.store.tidy(0);
  // Both links were idle when tidying looked; this one is asked for while it removes the other.
  const isMounted = await registry.store.mountBlob('a', parseDigest(second.descriptor.digest));
  await tidying;
  vi.useRealTimers();
  expect(isMounted).toBe(true);
  expect(blobs()).toEqual([second.descriptor.digest.slice('sha256:'.length)]);
});

hostTest('on a full disk a push is refused in a sentence, and goes on once there is room', ['linux', 'root'], async () => {
  const root = mkdtempSync(join(tmpdir(), 'registry-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root]);
  try {
    registry = await startRegistry({ root: join(root, 'store') });
    const blob = testBlob('here before the disk was full');
    const location = await startUpload(registry.origin, 'a');
    await send(registry.origin, 'PATCH', location, { body: blob.bytes });
    // The bytes are here; what is wanting is room for the record of whose they are.
    const filler = join(root, 'filler');
    expect(() => writeFileSync(filler, Buffer.alloc(4 << 20))).toThrow('ENOSPC');
    const refused = await send(registry.origin, 'PUT', withDigest(location, blob.descriptor.digest), { body: '' });
    expect([refused.status, errorCodes(refused)]).toEqual([507, ['BLOB_UPLOAD_INVALID']]);
    expect(registry.internalErrors.splice(0)).toHaveLength(1);
    rmSync(filler);
    await pushBlob(registry.origin, 'a', blob);
  } finally {
    execFileSync('umount', ['-l', root]);
    rmSync(root, { recursive: true });
  }
});

/** Announces `total` bytes, sends fewer, and is gone. */
function breakOff(origin: string, location: string, bytes: Uint8Array, total: number): Promise<void> {
  return new Promise((resolve) => {
    const request = httpRequest(new URL(location, origin), { method: 'PATCH', headers: { 'Content-Length': total }, agent: false });
    request.on('error', () => resolve());
    // By the time it is flushed the kernel has it; closing sends it on before the end.
    request.write(bytes, () => request.socket?.end(() => resolve()));
  });
}

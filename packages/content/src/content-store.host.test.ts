import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, parseDigest, splitDigest } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { openContentStore } from './index.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'content-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const HELLO = Buffer.from('hello');
const DIGEST = digestOf(HELLO);
const blobFile = () => join(root, 'blobs/sha256', splitDigest(DIGEST).hex);
const leftovers = () => readdirSync(join(root, 'ingests'));

describe('the content store', () => {
  hostTest('keeps a blob under its digest, in private directories', ['linux'], async () => {
    const store = await openContentStore(root);

    expect(await store.put(HELLO)).toBe(DIGEST);

    expect(await store.stat(DIGEST)).toMatchObject({ digest: DIGEST, sizeBytes: 5 });
    expect(await store.list()).toMatchObject([{ digest: DIGEST }]);
    expect(Buffer.from(await store.read(DIGEST, 5)).toString()).toBe('hello');
    expect(statSync(root).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'blobs')).mode & 0o777).toBe(0o700);
    expect(statSync(blobFile()).mode & 0o777).toBe(0o400);
    expect(leftovers()).toEqual([]);
  });

  hostTest('sha512 works like sha256', ['linux'], async () => {
    const store = await openContentStore(root);
    const { createHash } = await import('node:crypto');
    const digest = parseDigest(`sha512:${createHash('sha512').update(HELLO).digest('hex')}`);
    await using ingest = await store.ingest({ expected: { digest } });
    await ingest.write(HELLO);

    expect(await ingest.commit()).toEqual({ digest, sizeBytes: 5, isNew: true });
    expect(Buffer.from(await store.read(digest, 5)).toString()).toBe('hello');
  });

  hostTest('a wrong digest is refused and nothing stays [B16]', ['linux'], async () => {
    const store = await openContentStore(root);
    await using ingest = await store.ingest({ expected: { digest: DIGEST } });
    await ingest.write(Buffer.from('hullo'));

    await expect(ingest.commit()).rejects.toMatchObject({ code: 'E_BLOB_DIGEST' });
    expect(await store.list()).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  hostTest('a digest that is known at the end only is checked all the same, also in another algorithm', ['linux'], async () => {
    const store = await openContentStore(root);
    await using wrong = await store.ingest();
    await wrong.write(Buffer.from('hullo'));
    await expect(wrong.commit(DIGEST)).rejects.toMatchObject({ code: 'E_BLOB_DIGEST' });
    expect(await store.list()).toEqual([]);

    const { createHash } = await import('node:crypto');
    const digest = parseDigest(`sha512:${createHash('sha512').update(HELLO).digest('hex')}`);
    await using right = await store.ingest();
    await right.write(HELLO);
    expect(await right.commit(digest)).toMatchObject({ digest });
  });

  hostTest('a stream longer than announced is stopped at the first byte too many [B17]', ['linux'], async () => {
    const store = await openContentStore(root);
    await using ingest = await store.ingest({ ref: 'r', expected: { digest: DIGEST, sizeBytes: 5 } });
    await ingest.write(HELLO);

    await expect(ingest.write(Buffer.from('!'))).rejects.toMatchObject({ code: 'E_BLOB_SIZE' });
    expect(leftovers()).toEqual([]);
  });

  hostTest('a shorter stream is refused, one of the announced size is not [B17]', ['linux'], async () => {
    const store = await openContentStore(root);
    await using short = await store.ingest({ expected: { sizeBytes: 6 } });
    await short.write(HELLO);
    await using right = await store.ingest({ expected: { sizeBytes: 5 } });
    await right.write(HELLO);

    await expect(short.commit()).rejects.toMatchObject({ code: 'E_BLOB_SIZE' });
    await expect(right.commit()).resolves.toMatchObject({ digest: DIGEST });
  });

  hostTest('an endless stream without announced size stops at the limit', ['linux'], async () => {
    const store = await openContentStore(root);
    await using ingest = await store.ingest({ maxBytes: 100 });

    await expect(
      (async () => {
        for (;;) await ingest.write(Buffer.alloc(30));
      })(),
    ).rejects.toMatchObject({ code: 'E_BLOB_SIZE' });
  });

  hostTest('the same blob twice is one blob', ['linux'], async () => {
    const store = await openContentStore(root);
    const [a, b] = [await store.ingest(), await store.ingest()];
    await a.write(HELLO);
    await b.write(HELLO);

    expect([(await a.commit()).isNew, (await b.commit()).isNew]).toEqual([true, false]);
    expect(await store.list()).toHaveLength(1);
    expect(leftovers()).toEqual([]);
  });

  hostTest('bytes of an earlier attempt that cannot be read leave no descriptor and nobody locked out', ['root', 'linux'], async () => {
    const store = await openContentStore(root);
    const earlier = await store.ingest({ ref: 'r' });
    await earlier.write(HELLO);
    await earlier.close();
    const file = join(root, 'ingests', leftovers()[0] ?? '');
    // A regular file with a size whose every read(2) is an I/O error.
    execFileSync('mount', ['--bind', '/sys/devices/software/power/autosuspend_delay_ms', file]);
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    try {
      await expect(store.ingest({ ref: 'r' })).rejects.toMatchObject({ code: 'EIO' });
      expect(descriptors()).toBe(before);
    } finally {
      execFileSync('umount', ['--lazy', file]);
    }
    await using twin = await store.ingest({ ref: 'r' });
    expect(twin.offset).toBe(HELLO.byteLength);
  });

  hostTest('a named ingest resumes where it stopped, also after the store was opened again', ['linux'], async () => {
    const first = await (await openContentStore(root)).ingest({ ref: 'pull/layer-1', expected: { digest: DIGEST } });
    await first.write(HELLO.subarray(0, 3));
    await first.close();

    await using again = await (await openContentStore(root)).ingest({ ref: 'pull/layer-1', expected: { digest: DIGEST } });
    expect(again.offset).toBe(3);
    await again.write(HELLO.subarray(3));
    expect((await again.commit()).digest).toBe(DIGEST);
  });

  hostTest('two writers cannot have the same ref; a ref cannot name a path', ['linux'], async () => {
    const store = await openContentStore(root);
    await using ingest = await store.ingest({ ref: '../../etc/x' });

    await expect(store.ingest({ ref: '../../etc/x' })).rejects.toMatchObject({ code: 'E_INGEST_BUSY' });
    await ingest.write(HELLO);
    expect(leftovers()).toEqual([expect.stringMatching(/^ref-[0-9a-f]{64}$/)]);
  });

  hostTest('leaving the block drops a nameless ingest', ['linux'], async () => {
    const store = await openContentStore(root);
    {
      await using ingest = await store.ingest();
      await ingest.write(HELLO);
    }
    expect(leftovers()).toEqual([]);
  });

  hostTest('a writer killed mid-ingest leaves nothing visible, and its bytes are swept [B27]', ['linux'], async () => {
    const index = new URL('./index.ts', import.meta.url).href;
    const script = `const { openContentStore } = await import(${JSON.stringify(index)});
      const store = await openContentStore(${JSON.stringify(root)});
      const named = await store.ingest({ ref: 'named' }); const other = await store.ingest();
      await named.write(Buffer.alloc(1000)); await other.write(Buffer.alloc(1000));
      process.stdout.write('written'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(leftovers()).toHaveLength(2);

    const store = await openContentStore(root);
    expect(await store.list()).toEqual([]);
    expect(leftovers()).toEqual([expect.stringMatching(/^ref-/)]);

    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of leftovers()) utimesSync(join(root, 'ingests', name), old, old);
    await openContentStore(root);
    expect(leftovers()).toEqual([]);
  });

  hostTest('a blob that the disk changed is noticed when it is read [B31]', ['linux'], async () => {
    const store = await openContentStore(root);
    await store.put(HELLO);
    chmodSync(blobFile(), 0o600);
    writeFileSync(blobFile(), 'jello');

    await expect(store.read(DIGEST, 5)).rejects.toMatchObject({ kind: 'data-loss', code: 'E_BLOB_CORRUPT' });
  });

  hostTest('reading is bounded, and what is missing says so', ['linux'], async () => {
    const store = await openContentStore(root);
    await store.put(HELLO);

    await expect(store.read(DIGEST, 4)).rejects.toMatchObject({ code: 'E_BLOB_TOO_LARGE' });
    expect(await store.delete(DIGEST)).toBe(true);
    expect(await store.delete(DIGEST)).toBe(false);
    await expect(store.open(DIGEST)).rejects.toMatchObject({ kind: 'not-found', code: 'E_BLOB_NOT_FOUND' });
  });
});

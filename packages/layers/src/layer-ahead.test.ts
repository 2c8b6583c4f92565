import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '@slipway/oci';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_DECOMPRESS_LIMITS } from './decompress.ts';
import { LayerAhead, type OpenLayer } from './layer-ahead.ts';
import type { LayerBlob } from './worker-protocol.ts';

let base: string;
let fds: number[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'layer-ahead-'));
  fds = [];
});
afterEach(() => {
  for (const fd of fds) closeSync(fd);
  rmSync(base, { recursive: true });
});

const opened = (bytes: Uint8Array): number => {
  writeFileSync(join(base, String(fds.length)), bytes);
  return fds[fds.push(openSync(join(base, String(fds.length)), 'r')) - 1] ?? -1;
};
const blobOf = (bytes: Uint8Array): LayerBlob => ({
  compression: 'gzip',
  blobDigest: digestOf(bytes),
  decompressLimits: DEFAULT_DECOMPRESS_LIMITS,
});
async function textOf({ tar }: OpenLayer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
const [ONE, TWO] = [gzipSync('one'), gzipSync('two')] as const;

test('a layer that was expected is the one that was begun, by a descriptor of its own', async () => {
  const ahead = new LayerAhead();
  opened(ONE);
  const fd = openSync(join(base, '0'), 'r');
  ahead.expect(blobOf(ONE), fd);
  closeSync(fd);

  const taken = ahead.take(blobOf(ONE), opened(TWO));
  expect(await textOf(taken)).toBe('one');
  expect(taken.layer).toMatchObject({ blobBytes: ONE.byteLength, tarBytes: 3, diffId: digestOf('one') });
});

test('another one than was expected is read, and so is the expected one when it is asked for after all', async () => {
  const ahead = new LayerAhead();
  ahead.expect(blobOf(ONE), opened(ONE));

  expect(await textOf(ahead.take(blobOf(TWO), opened(TWO)))).toBe('two');
  expect(await textOf(ahead.take(blobOf(ONE), opened(ONE)))).toBe('one');
});

test('what is wrong with an expected layer is told to who asks for it', async () => {
  const ahead = new LayerAhead();
  const broken = Buffer.from('no gzip');
  ahead.expect(blobOf(broken), opened(broken));
  expect(await textOf(ahead.take(blobOf(TWO), opened(TWO)))).toBe('two');

  ahead.expect(blobOf(broken), opened(broken));
  await expect(textOf(ahead.take(blobOf(broken), opened(broken)))).rejects.toMatchObject({ code: 'E_LAYER_COMPRESSION' });
});

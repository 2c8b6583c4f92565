/** What is told of requests: by a real server, to real clients. */
import { get } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RequestRecord } from './request-record.ts';
import { testBlob } from './testing/images.ts';
import { pushBlob, startUpload, withDigest } from './testing/pushing.ts';
import { send } from './testing/registry-client.ts';
import { startRegistry, type TestRegistry } from './testing/test-registry.ts';

let registry: TestRegistry;
let told: RequestRecord[];
beforeEach(async () => {
  told = [];
  registry = await startRegistry({ onRequest: (record) => told.push(record) });
});
afterEach(() => registry.close());

const last = (count: number) =>
  vi.waitFor(() => (told.length < count ? Promise.reject(new Error(`${told.length} told`)) : told.at(-1)), 10_000);

test('a blob that is pushed in chunks, fetched in part, and mounted elsewhere', async () => {
  const blob = testBlob('hello registry');
  const { digest } = blob.descriptor;
  const location = await startUpload(registry.origin, 'app');
  const name = location.split('/').at(-1) ?? '';
  await send(registry.origin, 'PATCH', location, { body: blob.bytes.subarray(0, 5), headers: { 'content-range': '0-4' } });
  await send(registry.origin, 'PUT', withDigest(location, digest), { body: blob.bytes.subarray(5) });
  expect(await last(3)).toMatchObject({ status: 201, digest, receivedBytes: blob.bytes.byteLength - 5, target: { id: name.slice(0, 8) } });
  expect(told[1]).toMatchObject({ method: 'PATCH', status: 202, range: '0-4', receivedBytes: 5, sentBytes: 0 });
  expect(JSON.stringify(told)).not.toContain(name);

  await send(registry.origin, 'GET', `/v2/app/blobs/${digest}`, { headers: { range: 'bytes=6-', 'user-agent': 'a test' } });
  const rest = blob.bytes.byteLength - 6;
  expect(await last(4)).toMatchObject({
    status: 206,
    range: 'bytes=6-',
    userAgent: 'a test',
    sentBytes: rest,
    answerBytes: rest,
    isComplete: true,
  });
  await send(registry.origin, 'POST', `/v2/other/blobs/uploads/?mount=${digest}&from=app`, { body: '' });
  expect(await last(5)).toMatchObject({
    status: 201,
    mount: { digest, from: 'app' },
    answeredDigest: digest,
    target: { repository: 'other' },
  });
});

test('what is refused has the refusal’s code, and a long path is cut', async () => {
  await send(registry.origin, 'GET', '/v2/app/manifests/one');
  expect(await last(1)).toMatchObject({ status: 404, failure: { code: 'MANIFEST_UNKNOWN' }, target: { reference: { tag: 'one' } } });
  await send(registry.origin, 'GET', `/${'x'.repeat(5000)}`);
  const { path, target, status } = (await last(2)) as RequestRecord;
  expect([path.length, target, status]).toEqual([200, undefined, 404]);
});

test('a client that goes away is told of with what it was given', async () => {
  const blob = testBlob('x'.repeat(32 * 1024 ** 2));
  await pushBlob(registry.origin, 'app', blob);
  const before = told.length;
  await new Promise<void>((resolve, reject) => {
    const request = get(`${registry.origin}/v2/app/blobs/${blob.descriptor.digest}`, (response) => {
      response.once('data', () => request.destroy());
      response.once('close', resolve).on('error', () => undefined);
    }).once('error', reject);
  });
  const record = (await last(before + 1)) as RequestRecord;
  expect(record).toMatchObject({ status: 200, isComplete: false, answerBytes: 32 * 1024 ** 2 });
  expect(record.sentBytes).toBeLessThan(32 * 1024 ** 2);
});

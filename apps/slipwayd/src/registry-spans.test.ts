import type { RequestRecord } from '@slipway/registry';
import { expect, test } from 'vitest';
import { registrySpan } from './registry-spans.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as Extract<NonNullable<RequestRecord['target']>, { kind: 'blob' }>['digest'];
const BLOB: RequestRecord = {
  startMs: 10,
  endMs: 12.5,
  method: 'GET',
  path: `/v2/team/app/blobs/${DIGEST}`,
  target: { kind: 'blob', repository: 'team/app', digest: DIGEST },
  range: 'bytes=100-',
  userAgent: 'curl/8',
  status: 206,
  answeredDigest: DIGEST,
  answeredRange: 'bytes 100-999/1000',
  receivedBytes: 0,
  sentBytes: 900,
  answerBytes: 900,
  isComplete: true,
};

test('a part of a blob is told with what was asked for and what came', () => {
  expect(registrySpan(BLOB)).toEqual({
    actor: 'registry',
    name: `GET /v2/team/app/blobs/${DIGEST}`,
    protocol: 'HTTP over TCP',
    source: 'packages/registry/src/server.ts',
    startMs: 10,
    endMs: 12.5,
    request: { method: 'GET', kind: 'blob', repository: 'team/app', digest: DIGEST, range: 'bytes=100-', userAgent: 'curl/8' },
    response: { status: 206, digest: DIGEST, range: 'bytes 100-999/1000', bytes: 900, length: 900, received: 0 },
  });
});

test('asked on behalf of a pull it is a part of that; by anybody else it stands alone', () => {
  expect(registrySpan({ ...BLOB, span: 'trace-1/span-2' }).parent).toEqual({ trace: 'trace-1', id: 'span-2' });
  expect(registrySpan({ ...BLOB, span: 'nonsense' }).parent).toBeUndefined();
});

test('a client that went away half-way is an error, and how far it came is told', () => {
  const span = registrySpan({ ...BLOB, sentBytes: 400, isComplete: false });
  expect(span.response).toMatchObject({ bytes: 400, length: 900 });
  expect(span.error).toMatchObject({ name: 'CLIENT_GONE', message: expect.stringContaining('400 bytes') });
});

test.each([
  ['GET', 'MANIFEST_UNKNOWN'],
  ['HEAD', undefined],
])('of an unknown manifest, %s fails with %s', (method, name) => {
  const failure = { code: 'MANIFEST_UNKNOWN', message: 'no manifest app:one' };
  const target = { kind: 'manifest', repository: 'app', reference: { tag: 'one' } } as const;
  const span = registrySpan({ ...BLOB, method, target, status: 404, failure });
  expect(span.request).toMatchObject({ method, kind: 'manifest', repository: 'app', tag: 'one' });
  expect((span.error as Error | undefined)?.name).toBe(name);
});

test('an upload is known by a part of its name, a mount by where it comes from', () => {
  const target = { kind: 'upload', repository: 'app', id: '1a2b3c4d' } as const;
  expect(registrySpan({ ...BLOB, method: 'PUT', target, digest: DIGEST }).request).toMatchObject({ upload: '1a2b3c4d', digest: DIGEST });
  const mount = { digest: DIGEST, from: 'busybox' };
  expect(registrySpan({ ...BLOB, method: 'POST', target: { kind: 'uploads', repository: 'app' }, mount }).request).toMatchObject({ mount });
});

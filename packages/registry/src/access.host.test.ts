/** Who may do what: passwords, read-only, web pages; and manifests that are too much. */
import { hash } from 'bcryptjs';
import { afterEach, describe, expect, test } from 'vitest';
import { readHtpasswd } from './htpasswd.ts';
import { testBlob, testImage, testIndex, testManifest } from './testing/images.ts';
import { pushBlob, pushManifest, putManifest } from './testing/pushing.ts';
import { errorCodes, send } from './testing/registry-client.ts';
import { startRegistry, type TestRegistry } from './testing/test-registry.ts';

let registry: TestRegistry;
const open: TestRegistry[] = [];
const start = async (...options: Parameters<typeof startRegistry>): Promise<TestRegistry> => {
  const started = await startRegistry(...options);
  open.push(started);
  return started;
};
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const basic = (login: string) => ({ headers: { Authorization: `Basic ${Buffer.from(login).toString('base64')}` } });

describe('with a password file', () => {
  test('everything needs a login, and the right one is enough', async () => {
    const checkPassword = await readHtpasswd(`# users\nalice:${await hash('secret', 4)}\n\nbob:${await hash('pass:word', 4)}\n`);
    registry = await start({ checkPassword });
    for (const path of ['/v2/', '/v2/a/manifests/x', '/v2/a/tags/list', '/none']) {
      const reply = await send(registry.origin, 'GET', path);
      expect([reply.status, errorCodes(reply)]).toEqual([401, ['UNAUTHORIZED']]);
      expect(reply.headers['www-authenticate']).toMatch(/^Basic realm="/);
    }
    for (const login of ['alice:wrong', 'carol:secret', 'alice:', ':secret', `alice:${'x'.repeat(100)}`, 'alice']) {
      expect((await send(registry.origin, 'GET', '/v2/', basic(login))).status).toBe(401);
    }
    for (const login of ['alice:secret', 'alice:secret', 'bob:pass:word']) {
      expect((await send(registry.origin, 'GET', '/v2/', basic(login))).status).toBe(200);
    }
    expect((await send(registry.origin, 'GET', '/v2/', basic('alice:wrong'))).status).toBe(401);
  });

  test('more guesses than can be checked are turned away, not queued', async () => {
    const check = await readHtpasswd(`alice:${await hash('secret', 4)}`);
    const guesses = await Promise.allSettled(Array.from({ length: 60 }, (_, at) => check('alice', `guess${at}`)));
    const turnedAway = guesses.filter(({ status }) => status === 'rejected');
    expect(turnedAway.length).toBe(60 - 32);
    expect(turnedAway[0]).toMatchObject({ reason: { code: 'E_LOGINS_TOO_MANY' } });
    expect(await check('alice', 'secret')).toBe(true);
  });

  test.each(['alice:secret', 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'alice', `:${'$2y$05$'.padEnd(60, 'a')}`])(
    'a line that is no bcrypt hash is refused by its number: %s',
    async (line) => {
      await expect(readHtpasswd(`\n${line}\n`)).rejects.toMatchObject({ code: 'E_HTPASSWD', subject: '2' });
    },
  );
});

test('a read-only registry gives, and takes nothing', async () => {
  registry = await start();
  const image = testImage('read-only');
  await pushManifest(registry.origin, 'a', image, 'x');
  const second = await start({ readOnly: true, root: registry.root });
  expect((await send(second.origin, 'GET', '/v2/a/manifests/x')).body).toEqual(image.bytes);
  const { digest } = image.blobs[0]?.descriptor ?? {};
  for (const [method, path] of [
    ['POST', 'blobs/uploads/'],
    ['PUT', 'manifests/y'],
    ['DELETE', 'manifests/x'],
    ['DELETE', `blobs/${digest}`],
  ] as const) {
    const reply = await send(second.origin, method, `/v2/a/${path}`, { body: '' });
    expect([reply.status, errorCodes(reply)]).toEqual([405, ['UNSUPPORTED']]);
  }
});

test('a web page gets nothing out of it, a person at the address bar does', async () => {
  registry = await start();
  for (const headers of [
    { Origin: 'http://evil.example' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-origin' },
    { 'Accept-Language': 'de', Host: 'rebound.example:5000' },
  ]) {
    expect((await send(registry.origin, 'POST', '/v2/a/blobs/uploads/', { headers, body: '' })).status).toBe(403);
    expect((await send(registry.origin, 'GET', '/v2/_catalog', { headers })).status).toBe(403);
  }
  expect((await send(registry.origin, 'GET', '/v2/', { headers: { 'Sec-Fetch-Site': 'none', 'Accept-Language': 'de' } })).status).toBe(200);
  // A client that calls the registry by a name of its own, and one that is made of fetch.
  expect((await send(registry.origin, 'GET', '/v2/', { headers: { Host: 'registry.example:5000' } })).status).toBe(200);
  expect((await fetch(`${registry.origin}/v2/`)).status).toBe(200);
});

describe('manifests that are too much [B20]', () => {
  test('an index nested beyond four is refused, one of four is not', async () => {
    registry = await start();
    let below = testImage('bottom');
    await pushManifest(registry.origin, 'a', below);
    for (let depth = 2; depth <= 4; depth++) {
      below = testIndex([below]);
      await pushManifest(registry.origin, 'a', below);
    }
    const reply = await putManifest(registry.origin, 'a', 'deep', testIndex([below]));
    expect([reply.status, errorCodes(reply)]).toEqual([400, ['MANIFEST_INVALID']]);
  });

  test('ten thousand entries are refused', async () => {
    registry = await start();
    const image = testImage('once');
    await pushManifest(registry.origin, 'a', image);
    const many = testIndex(Array.from({ length: 10_000 }, () => image));
    expect((await putManifest(registry.origin, 'a', 'many', many)).status).toBe(400);
  });

  test('an endless manifest is stopped', async () => {
    registry = await start();
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
    const reply = await send(registry.origin, 'PUT', '/v2/a/manifests/x', { body: Buffer.alloc(5 * 1024 * 1024, 32), headers });
    expect(reply.status).toBe(413);
  });

  test('schema 1 is refused in so many words', async () => {
    registry = await start();
    const document = testManifest({ schemaVersion: 1, fsLayers: [] }, [], 'application/vnd.docker.distribution.manifest.v1+prettyjws');
    const reply = await putManifest(registry.origin, 'a', 'old', document);
    expect([reply.status, reply.body.toString()]).toEqual([400, expect.stringContaining('docker gave up')]);
  });
});

test('the same bytes cannot be an image under one type and another under the next [B19]', async () => {
  registry = await start();
  const image = testImage('two faces');
  const { mediaType: _, ...untyped } = JSON.parse(image.bytes.toString()) as Record<string, unknown>;
  for (const blob of image.blobs) await pushBlob(registry.origin, 'a', blob);
  const bytes = Buffer.from(JSON.stringify(untyped));
  const put = (mediaType: string) => putManifest(registry.origin, 'a', 'x', { ...image, bytes, mediaType });
  expect((await put('application/vnd.docker.distribution.manifest.v2+json')).status).toBe(400);
  expect((await put(image.mediaType)).status).toBe(201);
});

test('two hundred pulls of one image at once: none fails, none differs', async () => {
  registry = await start();
  const layer = testBlob(Buffer.alloc(1024 * 1024, 'layer '));
  const image = testManifest({ config: testBlob('{}').descriptor, layers: [layer.descriptor] }, [testBlob('{}'), layer]);
  await pushManifest(registry.origin, 'a', image, 'x');
  const pulls = Array.from({ length: 200 }, async () => {
    const manifest = await send(registry.origin, 'GET', '/v2/a/manifests/x');
    const blob = await send(registry.origin, 'GET', `/v2/a/blobs/${layer.descriptor.digest}`);
    return manifest.body.equals(image.bytes) && blob.body.equals(layer.bytes);
  });
  expect(new Set(await Promise.all(pulls))).toEqual(new Set([true]));
  expect(registry.internalErrors).toEqual([]);
});

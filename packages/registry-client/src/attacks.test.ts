/** Registries that lie, leak or never end. Each refusal has a legal neighbour that passes. */
import { digestOf, MediaTypes, parseDigest, parseManifestOrIndex, parseReference } from '@slipway/oci';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RegistryClient } from './client.ts';
import type { Repository } from './repository.ts';
import { SharedFetches } from './shared-fetches.ts';
import { MemorySinks } from './testing/memory-sink.ts';
import { type Answer, StubRegistry } from './testing/stub-registry.ts';

const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));
const blob = { mediaType: MediaTypes.ociLayer, digest: digestOf(BYTES), size: BYTES.byteLength };
const BLOB_KEY = `GET /v2/a/blobs/${blob.digest}`;
const MANIFEST_KEY = 'GET /v2/a/manifests/latest';
const CREDENTIALS = { username: 'alice', password: 'secret' };
const DOCUMENT = {
  schemaVersion: 2,
  mediaType: MediaTypes.ociManifest,
  config: { ...blob, mediaType: MediaTypes.ociConfig },
  layers: [blob],
};

let stub: StubRegistry;
let sinks: MemorySinks;
beforeEach(async () => {
  stub = await StubRegistry.start();
  sinks = new MemorySinks();
  stub.manifest('a', 'latest', DOCUMENT);
  stub.blob('a', BYTES);
});
afterEach(() => stub[Symbol.asyncDispose]());

const reference = () => parseReference(`${stub.host}/a`);
const resolve = (credentials = CREDENTIALS) => new RegistryClient().resolve(reference(), { credentials });

async function fetch(change?: Answer, within?: Repository): Promise<unknown> {
  if (change !== undefined) stub.answers.set(BLOB_KEY, change);
  const repository = within ?? (await new RegistryClient().open(reference(), 'pull', { credentials: CREDENTIALS }));
  try {
    return await repository.fetchBlob(blob, { openSink: async () => sinks.open(blob) });
  } finally {
    repository[Symbol.dispose]();
  }
}

describe('B16, B17: bytes that are not what was announced', () => {
  test('the honest twin passes', async () => {
    await fetch();
    expect(sinks.committed.get(blob.digest)).toEqual(BYTES);
  });

  const lies: Readonly<Record<string, readonly [answer: Answer, code: string]>> = {
    'another content of the same size': [(_seen, response) => response.end(Buffer.alloc(BYTES.byteLength)), 'E_BLOB_DIGEST'],
    'fewer bytes, and an end': [
      (_seen, response) => response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(BYTES.subarray(1)),
      'E_BLOB_SIZE',
    ],
    'a Content-Length that is too long': [
      (_seen, response) => response.writeHead(200, { 'content-length': BYTES.byteLength + 1 }).write(BYTES),
      'E_BLOB_SIZE',
    ],
    'bytes behind the end': [
      (_seen, response) => response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(Buffer.concat([BYTES, Buffer.from('!')])),
      'E_BLOB_SIZE',
    ],
    'a stream without end': [
      (_seen, response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', more);
        more();
      },
      'E_BLOB_SIZE',
    ],
  };
  for (const [what, [answer, code]] of Object.entries(lies)) {
    test(`${what}: refused, nothing committed`, async () => {
      await expect(fetch(answer)).rejects.toMatchObject({ code });
      expect(sinks.committed.size).toBe(0);
    });
  }

  test('a manifest that is not the one its digest names', async () => {
    const digest = digestOf('another');
    stub.answers.set(`GET /v2/a/manifests/${digest}`, (_seen, response) => response.end(JSON.stringify(DOCUMENT)));
    using repository = (await resolve()).repository;
    await expect(repository.manifest(digest)).rejects.toMatchObject({ code: 'E_BLOB_DIGEST' });
    await expect(repository.manifest(digestOf(JSON.stringify(DOCUMENT)))).resolves.toBeDefined();
  });

  test('a manifest by tag that contradicts its own digest header', async () => {
    stub.answers.set(MANIFEST_KEY, (_seen, response) =>
      response.writeHead(200, { 'docker-content-digest': digestOf('x') }).end(JSON.stringify(DOCUMENT)),
    );
    await expect(resolve()).rejects.toMatchObject({ code: 'E_BLOB_DIGEST' });
  });
});

describe('B18: digests are parsed before they are part of any path', () => {
  test.each([
    'sha256:../../x',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    'sha256+b64:x',
  ])('%s', (text) => {
    expect(() => parseReference(`${stub.host}/a@${text}`)).toThrow(expect.objectContaining({ code: 'E_REFERENCE_INVALID' }));
    expect(() => parseDigest(text)).toThrow();
  });

  test('sha512 is a digest like another', async () => {
    const bytes = JSON.stringify(DOCUMENT);
    const digest = parseDigest(`sha512:${(await import('node:crypto')).createHash('sha512').update(bytes).digest('hex')}`);
    stub.answers.set(`GET /v2/a/manifests/${digest}`, (_seen, response) => response.end(bytes));
    using repository = (await resolve()).repository;
    expect((await repository.manifest(digest)).descriptor.digest).toBe(digest);
  });
});

describe('B19, B20: documents that mean two things, or too many', () => {
  const read = async (document: object | string, contentType: string = MediaTypes.ociManifest) => {
    stub.answers.set(MANIFEST_KEY, (_seen, response) =>
      response.writeHead(200, { 'content-type': contentType }).end(typeof document === 'string' ? document : JSON.stringify(document)),
    );
    const { bytes, descriptor, repository } = await resolve();
    repository[Symbol.dispose]();
    return parseManifestOrIndex(bytes, descriptor.mediaType);
  };

  test('the twins: a type that agrees, one that says nothing, Docker’s type', async () => {
    expect((await read(DOCUMENT)).kind).toBe('manifest');
    expect((await read(DOCUMENT, 'application/json')).kind).toBe('manifest');
    const docker = { ...DOCUMENT, mediaType: MediaTypes.dockerManifest };
    expect((await read(docker, MediaTypes.dockerManifest)).kind).toBe('manifest');
  });

  test.each([
    ['manifests beside layers', { ...DOCUMENT, manifests: [] }, MediaTypes.ociManifest, 'E_DOCUMENT_INVALID'],
    ['another type in the header', DOCUMENT, MediaTypes.ociIndex, 'E_DOCUMENT_INVALID'],
    ['no manifest at all', '<html>', 'text/html', 'E_REGISTRY_ANSWER'],
    ['schema 1 by its type', { schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'E_REGISTRY_SCHEMA1'],
    ['schema 1 by what it is', { schemaVersion: 1, fsLayers: [] }, 'application/json', 'E_REGISTRY_SCHEMA1'],
    ['more than 4 MiB', ' '.repeat(4 * 1024 * 1024 + 1), MediaTypes.ociManifest, 'E_REGISTRY_ANSWER'],
  ])('%s', async (_what, document, type, code) => {
    await expect(read(document, type)).rejects.toMatchObject({ code });
  });
});

describe('B22: challenges that want a credential for somebody else', () => {
  const challenge =
    (realm: string): Answer =>
    (_seen, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end();

  test('a token service elsewhere is asked without the password, the registry’s own with it', async () => {
    await using thief = await StubRegistry.start({ '*': (_seen, response) => response.end('{"token":"t"}') });
    stub.answers.set(MANIFEST_KEY, challenge(`http://${thief.host}/steal`));
    await expect(resolve()).rejects.toMatchObject({ code: 'E_REGISTRY_DENIED' });
    expect(thief.seen).toMatchObject([{ authorization: undefined }]);
    expect(thief.asked[0]).not.toContain('alice');

    stub.answers.set('GET /token', (_seen, response) => response.end('{"token":"t"}'));
    stub.answers.set(MANIFEST_KEY, challenge(`http://${stub.host}/token`));
    await expect(resolve()).rejects.toMatchObject({ code: 'E_REGISTRY_DENIED' });
    expect(stub.seen.find(({ url }) => url.startsWith('/token'))?.authorization).toMatch(/^Basic /);
  });

  test.each([
    'http://169.254.169.254/latest',
    'http://example.com/token',
    'file:///etc/shadow',
    'https://[fe80::1]/t',
    'https://user:x@example.com/t',
  ])('%s is not asked at all', async (realm) => {
    stub.answers.set(MANIFEST_KEY, challenge(realm));
    await expect(resolve()).rejects.toMatchObject({ code: 'E_REGISTRY_ADDRESS' });
  });

  test('Basic is never sent without being asked for', async () => {
    await resolve();
    expect(stub.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });
});

describe('B21, B23: redirects', () => {
  const redirect =
    (location: string): Answer =>
    (_seen, response) =>
      response.writeHead(307, { location }).end();

  test('to another server: followed without the credential; a challenge there is not answered', async () => {
    await using cdn = await StubRegistry.start({ '*': (_seen, response) => response.end(BYTES) });
    stub.answers.set(BLOB_KEY, (seen, response) =>
      seen.authorization === undefined
        ? response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
        : redirect(`http://${cdn.host}/x`)(seen, response),
    );
    await fetch();
    expect(cdn.seen).toMatchObject([{ authorization: undefined }]);

    cdn.answers.set('*', (_seen, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end());
    sinks = new MemorySinks();
    await expect(fetch()).rejects.toMatchObject({ code: 'E_REGISTRY_DENIED' });
    expect(cdn.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test('within the registry the credential goes along', async () => {
    const serve = stub.answers.get(BLOB_KEY);
    stub.answers.set('GET /elsewhere', (seen, response) => serve?.(seen, response));
    await fetch((seen, response) =>
      seen.authorization === undefined
        ? response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
        : redirect('/elsewhere')(seen, response),
    );
    expect(stub.seen.at(-1)).toMatchObject({ url: '/elsewhere', authorization: expect.stringMatching(/^Basic /) });
  });

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://example.com/x',
    'file:///etc/shadow',
    'https://[::ffff:169.254.169.254]/x',
  ])('%s is refused', async (target) => {
    await expect(fetch(redirect(target))).rejects.toMatchObject({ code: 'E_REGISTRY_ADDRESS' });
  });

  test('in a circle: an end', async () => {
    await expect(fetch(redirect(`/v2/a/blobs/${blob.digest}`))).rejects.toMatchObject({ code: 'E_REGISTRY_ANSWER' });
  });
});

describe('B25: downloads that break off', () => {
  test.each([0, 1, 50_000, BYTES.byteLength - 1])('after %i bytes: goes on from there', async (cut) => {
    const serve = stub.answers.get(BLOB_KEY);
    let breaks = 1;
    await fetch((seen, response) => {
      if (breaks-- <= 0) return serve?.(seen, response);
      response.writeHead(200, { 'content-length': BYTES.byteLength });
      response.write(BYTES.subarray(0, cut), () => setImmediate(() => response.destroy()));
      return undefined;
    });
    expect(sinks.committed.get(blob.digest)).toEqual(BYTES);
  });

  const held = () => sinks.partial.set(blob.digest, BYTES.subarray(0, 1000));

  test('what an earlier attempt left is not fetched again', async () => {
    held();
    expect(await fetch()).toMatchObject({ resumedAt: 1000 });
    expect(stub.seen.at(-1)?.range).toBe('bytes=1000-');
  });

  test('a server that knows no ranges', async () => {
    held();
    await fetch((_seen, response) => response.end(BYTES));
    expect(sinks.committed.get(blob.digest)).toEqual(BYTES);
  });

  test.each(['bytes 0-99999/100000', 'bytes 1000-99998/100000', 'bytes 1000-99999/7', 'nonsense'])(
    'a part that was not asked for (%s): all of it instead',
    async (range) => {
      held();
      await fetch((seen, response) =>
        seen.range === undefined ? response.end(BYTES) : response.writeHead(206, { 'content-range': range }).end(BYTES.subarray(1000)),
      );
      expect(sinks.committed.get(blob.digest)).toEqual(BYTES);
    },
  );

  test('another content’s beginning is noticed, and fetched anew', async () => {
    sinks.partial.set(blob.digest, Buffer.alloc(1000, 7));
    await fetch();
    expect(sinks.committed.get(blob.digest)).toEqual(BYTES);
  });
});

describe('B26: many want the same', () => {
  test('twenty pulls, one download; it survives its beginner', async () => {
    const shared = new SharedFetches();
    const leader = new AbortController();
    const started = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let runs = 0;
    const work = async ({ signal }: { readonly signal: AbortSignal }) => {
      runs++;
      started.resolve();
      await go.promise;
      signal.throwIfAborted();
      return 'blob';
    };
    const first = shared.join('k', work, { signal: leader.signal, onProgress: () => undefined });
    const others = Array.from({ length: 19 }, () => shared.join('k', work, { onProgress: () => undefined }));
    await started.promise;
    leader.abort();
    await expect(first).rejects.toThrow();
    go.resolve();
    expect(new Set((await Promise.all(others)).map(({ value }) => value))).toEqual(new Set(['blob']));
    expect(runs).toBe(1);
  });

  test('when nobody waits any more it ends; whoever comes then begins anew', async () => {
    const shared = new SharedFetches();
    const alone = new AbortController();
    const ended = Promise.withResolvers<void>();
    const endless = ({ signal }: { readonly signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          ended.resolve();
          reject(new Error('ended'));
        });
      });
    const only = shared.join('k', endless, { signal: alone.signal, onProgress: () => undefined });
    alone.abort();
    await expect(only).rejects.toThrow();
    await ended.promise;
    expect(await shared.join('k', async () => 1, { onProgress: () => undefined })).toEqual({ isShared: false, value: 1 });
  });

  test('a follower does not fail with another’s registry', async () => {
    const shared = new SharedFetches();
    const go = Promise.withResolvers<never>();
    const first = shared.join('k', () => go.promise, { onProgress: () => undefined });
    const second = shared.join('k', async () => 'mine', { onProgress: () => undefined });
    go.reject(new Error('theirs'));
    await expect(first).rejects.toThrow('theirs');
    expect(await second).toEqual({ isShared: false, value: 'mine' });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, MediaTypes, parseReference } from '@slipway/oci';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RegistryClient } from './client.ts';
import { DockerConfig } from './docker-config.ts';
import { MemorySinks } from './testing/memory-sink.ts';
import { StubRegistry } from './testing/stub-registry.ts';

const LAYER = Buffer.from('a layer'.repeat(10_000));
const CONFIG = Buffer.from('{}');
const descriptorOf = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.byteLength });
const MANIFEST = {
  schemaVersion: 2,
  mediaType: MediaTypes.ociManifest,
  config: descriptorOf(MediaTypes.ociConfig, CONFIG),
  layers: [descriptorOf(MediaTypes.ociLayer, LAYER)],
};
const layer = descriptorOf(MediaTypes.ociLayer, LAYER);
const CREDENTIALS = { username: 'alice', password: 'secret' };
const BASIC = `Basic ${Buffer.from('alice:secret').toString('base64')}`;

let stub: StubRegistry;
beforeEach(async () => {
  stub = await StubRegistry.start();
  stub.manifest('library/a', 'latest', MANIFEST);
  stub.blob('library/a', LAYER);
});
afterEach(() => stub[Symbol.asyncDispose]());

const here = (path = 'library/a') => parseReference(`${stub.host}/${path}`);

describe('pulling', () => {
  test('a manifest by tag and digest, and its layer', async () => {
    const client = new RegistryClient();
    using found = (await client.resolve(here())).repository;
    const { descriptor } = await client.resolve(here());
    expect(descriptor).toEqual(descriptorOf(MediaTypes.ociManifest, Buffer.from(JSON.stringify(MANIFEST))));
    expect((await found.manifest(descriptor)).descriptor).toEqual(descriptor);

    const sinks = new MemorySinks();
    const progress: number[] = [];
    const report = await found.fetchBlob(layer, { openSink: async () => sinks.open(layer), onProgress: (bytes) => progress.push(bytes) });
    expect(report).toEqual({ resumedAt: 0, retries: 0 });
    expect(sinks.committed.get(layer.digest)).toEqual(LAYER);
    expect(progress.at(-1)).toBe(LAYER.byteLength);
  });

  test('a registry on this host is told on whose behalf it is asked; one that it sends to is not', async () => {
    await using elsewhere = await StubRegistry.start();
    elsewhere.blob('library/a', LAYER);
    stub.answers.set(`GET /v2/library/a/blobs/${layer.digest}`, (_seen, response) =>
      response.writeHead(307, { location: `http://${elsewhere.host}/v2/library/a/blobs/${layer.digest}` }).end(),
    );
    const localHeaders = { 'x-slipway-span': 'trace/span' };
    const client = new RegistryClient();
    using found = (await client.resolve(here(), { localHeaders })).repository;
    const sinks = new MemorySinks();
    await found.fetchBlob(layer, { openSink: async () => sinks.open(layer) });
    const spans = ({ seen }: StubRegistry) => seen.filter(({ url }) => url.includes('/library/')).map(({ span }) => span);
    expect(spans(stub)).toEqual(['trace/span', 'trace/span']);
    expect(spans(elsewhere)).toEqual([undefined]);
  });

  test('what is not there is not-found, in the registry’s words', async () => {
    stub.answers.set('*', (_seen, response) =>
      response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown\\u001b[31m"}]}'),
    );
    await expect(new RegistryClient().resolve(here('library/nope'))).rejects.toMatchObject({
      kind: 'not-found',
      code: 'E_REGISTRY_NOT_FOUND',
      message: expect.stringContaining('manifest_unknown: manifest unknown [31m'),
    });
  });

  test('a mirror is asked first, without credentials; what it does not have comes from the registry', async () => {
    await using mirror = await StubRegistry.start();
    const client = new RegistryClient({ mirrors: [{ registry: stub.host, url: new URL(`http://${mirror.host}`) }] });
    expect((await client.resolve(here(), { credentials: CREDENTIALS })).repository.origin).toBe(`http://${stub.host}`);
    mirror.manifest('library/a', 'latest', MANIFEST);
    expect((await client.resolve(here(), { credentials: CREDENTIALS })).repository.origin).toBe(`http://${mirror.host}`);
    expect(mirror.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test('a busy registry is asked again', async () => {
    const serve = stub.answers.get('GET /v2/library/a/manifests/latest');
    let refusals = 2;
    stub.answers.set('GET /v2/library/a/manifests/latest', (seen, response) =>
      refusals-- > 0 ? response.writeHead(503).end() : serve?.(seen, response),
    );
    await expect(new RegistryClient().resolve(here())).resolves.toMatchObject({ descriptor: { mediaType: MediaTypes.ociManifest } });
  });
});

describe('logging in', () => {
  test('Basic, once it is asked for', async () => {
    const open = stub.answers.get('GET /v2/library/a/manifests/latest');
    stub.answers.set('GET /v2/library/a/manifests/latest', (seen, response) =>
      seen.authorization === BASIC ? open?.(seen, response) : response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end(),
    );
    await new RegistryClient().resolve(here(), { credentials: CREDENTIALS });
    await expect(new RegistryClient().resolve(here(), { credentials: { username: 'alice', password: 'wrong' } })).rejects.toMatchObject({
      kind: 'permission-denied',
      code: 'E_REGISTRY_DENIED',
    });
    await expect(new RegistryClient().resolve(here())).rejects.toMatchObject({ code: 'E_REGISTRY_DENIED' });
  });

  test('requests side by side are each asked, and each answer', async () => {
    const open = stub.answers.get('GET /v2/library/a/manifests/latest');
    stub.answers.set('GET /v2/library/a/manifests/latest', (seen, response) =>
      seen.authorization === BASIC ? open?.(seen, response) : response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end(),
    );
    using repository = await new RegistryClient().open(here(), 'pull', { credentials: CREDENTIALS });
    await expect(Promise.all([1, 2, 3, 4].map(() => repository.manifest('latest')))).resolves.toHaveLength(4);
  });

  test('a token for one repository, kept for its lifetime', async () => {
    const open = stub.answers.get('GET /v2/library/a/manifests/latest');
    stub.answers.set('GET /token', (_seen, response) => response.end('{"token":"t0ken","expires_in":300}'));
    stub.answers.set('GET /v2/library/a/manifests/latest', (seen, response) =>
      seen.authorization === 'Bearer t0ken'
        ? open?.(seen, response)
        : response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${stub.host}/token",service="s"` }).end(),
    );
    const { repository } = await new RegistryClient().resolve(here(), { credentials: CREDENTIALS });
    await repository.manifest('latest');
    repository[Symbol.dispose]();

    const tokens = stub.seen.filter(({ url }) => url.startsWith('/token'));
    expect(tokens).toMatchObject([{ authorization: BASIC, url: '/token?service=s&scope=repository%3Alibrary%2Fa%3Apull&account=alice' }]);
  });

  test('an identity token goes the way of OAuth', async () => {
    const open = stub.answers.get('GET /v2/library/a/manifests/latest');
    stub.answers.set('POST /token', (_seen, response) => response.end('{"access_token":"t0ken"}'));
    stub.answers.set('GET /v2/library/a/manifests/latest', (seen, response) =>
      seen.authorization === 'Bearer t0ken'
        ? open?.(seen, response)
        : response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token",service="s"' }).end(),
    );
    const { repository } = await new RegistryClient().resolve(here(), { credentials: { username: '', identityToken: 'refresh me' } });
    repository[Symbol.dispose]();
    expect(stub.seen.find(({ method }) => method === 'POST')?.body.toString()).toContain(
      'grant_type=refresh_token&refresh_token=refresh+me',
    );
  });
});

describe('pushing', () => {
  const source = {
    read: async function* (start: number, length: number) {
      yield LAYER.subarray(start, start + length);
    },
  };
  const push = async (partBytes?: number, mountFrom?: string) => {
    using repository = await new RegistryClient().open(here('b'), 'push');
    return await repository.pushBlob(layer, source, { ...(partBytes === undefined ? {} : { partBytes }), mountFrom });
  };

  test('what is there is not sent', async () => {
    stub.answers.set(`HEAD /v2/b/blobs/${layer.digest}`, (_seen, response) => response.end());
    expect(await push()).toBe('exists');
    expect(stub.asked.filter((line) => !line.startsWith('GET'))).toEqual([`HEAD /v2/b/blobs/${layer.digest}`]);
  });

  test('what another repository has is mounted', async () => {
    stub.answers.set('POST /v2/b/blobs/uploads/', (_seen, response) => response.writeHead(201).end());
    expect(await push(undefined, 'library/a')).toBe('mounted');
    expect(stub.asked.at(-1)).toBe(`POST /v2/b/blobs/uploads/?mount=${layer.digest}&from=library%2Fa`);
  });

  test('in one piece, keeping what the location says', async () => {
    stub.answers.set('POST /v2/b/blobs/uploads/', (_seen, response) => response.writeHead(202, { location: '/up?state=1' }).end());
    stub.answers.set('PUT /up', (_seen, response) => response.writeHead(201).end());
    expect(await push()).toBe('uploaded');
    expect(stub.asked.at(-1)).toBe(`PUT /up?state=1&digest=${encodeURIComponent(layer.digest)}`);
    expect(stub.seen.at(-1)?.body).toEqual(LAYER);
  });

  test('in parts; a part that broke off goes on where the registry stands', async () => {
    let held = Buffer.alloc(0);
    let breaks = 1;
    const said = () => ({ location: '/up', range: `0-${Math.max(0, held.byteLength - 1)}` });
    stub.answers.set('POST /v2/b/blobs/uploads/', (_seen, response) => response.writeHead(202, { location: '/up' }).end());
    stub.answers.set('PATCH /up', ({ body }, response) => {
      const isBroken = breaks-- > 0;
      held = Buffer.concat([held, isBroken ? body.subarray(0, 1000) : body]);
      if (isBroken) response.destroy();
      else response.writeHead(202, said()).end();
    });
    stub.answers.set('GET /up', (_seen, response) => response.writeHead(204, said()).end());
    stub.answers.set('PUT /up', (_seen, response) => response.writeHead(201).end());
    expect(await push(20_000)).toBe('uploaded');
    expect(held).toEqual(LAYER);
  });
});

describe('docker’s configuration', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'docker-config-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('what is stored is found and erased, other keys stay', async () => {
    writeFileSync(join(directory, 'config.json'), '{"psFormat":"x"}');
    const config = new DockerConfig({ directory });
    await config.store('localhost:5000', CREDENTIALS);
    await config.store('docker.io', { username: 'bob', password: 'p' });
    expect(await config.find('localhost:5000')).toEqual({ ...CREDENTIALS, server: 'localhost:5000' });
    expect(await config.find('docker.io')).toEqual({ username: 'bob', password: 'p', server: 'https://index.docker.io/v1/' });
    expect(await config.erase('localhost:5000')).toBe(true);
    expect(await config.find('localhost:5000')).toBeUndefined();
    expect(await config.find('docker.io')).toMatchObject({ username: 'bob' });
  });

  test('a helper is asked by its protocol', async () => {
    const log = join(directory, 'log');
    writeFileSync(
      join(directory, 'docker-credential-lab'),
      `#!/bin/sh\nread -r server\necho "$1 $server" >>${log}\n[ "$server" = r.example ] && echo '{"Username":"<token>","Secret":"s"}' || { echo credentials not found in native keychain; exit 1; }\n`,
      { mode: 0o755 },
    );
    writeFileSync(join(directory, 'config.json'), '{"credsStore":"lab"}');
    const config = new DockerConfig({ directory, env: { PATH: `${directory}:/bin:/usr/bin` } });
    expect(await config.find('r.example')).toEqual({ username: '', identityToken: 's', server: 'r.example' });
    expect(await config.find('other.example')).toBeUndefined();
  });

  test('a helper’s name is no path', async () => {
    writeFileSync(join(directory, 'config.json'), '{"credsStore":"../../bin/sh"}');
    await expect(new DockerConfig({ directory }).find('r.example')).rejects.toMatchObject({ code: 'E_DOCKER_CONFIG' });
  });
});

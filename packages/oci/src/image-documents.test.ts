import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { MAX_MANIFEST_BYTES } from './document.ts';
import { isReservedLabel, layerHistory, parseImageConfig } from './image-config.ts';
import { parseManifestOrIndex } from './manifest.ts';
import { MediaTypes } from './media-types.ts';
import { hostPlatform, platformMatches } from './platform.ts';

const descriptor = (mediaType: string) => ({ mediaType, digest: digestOf(mediaType), size: 10 });
const MANIFEST = {
  schemaVersion: 2,
  mediaType: MediaTypes.ociManifest,
  config: descriptor(MediaTypes.ociConfig),
  layers: [descriptor(MediaTypes.ociLayerGzip)],
};
const INDEX = {
  schemaVersion: 2,
  manifests: [{ ...descriptor(MediaTypes.ociManifest), platform: { os: 'linux', architecture: 'amd64' } }],
};
const CONFIG = {
  os: 'linux',
  architecture: 'amd64',
  config: { Cmd: ['sh'], Env: ['PATH=/bin'], Labels: { maintainer: 'me', 'containerd.io/restart.status': 'x' } },
  rootfs: { type: 'layers', diff_ids: [digestOf('a'), digestOf('b')] },
  history: [{ created_by: 'one' }, { created_by: 'ENV', empty_layer: true }, { created_by: 'two' }],
};

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const invalid = expect.objectContaining({ code: 'E_DOCUMENT_INVALID' });

describe('parseManifestOrIndex', () => {
  test('reads a manifest', () => {
    expect(parseManifestOrIndex(bytes(MANIFEST))).toEqual({ kind: 'manifest', ...MANIFEST, schemaVersion: undefined });
  });

  test('reads an index and keeps the platforms', () => {
    expect(parseManifestOrIndex(bytes(INDEX))).toMatchObject({ kind: 'index', manifests: [{ platform: { architecture: 'amd64' } }] });
  });

  test.each([
    ['both manifests and layers', { ...MANIFEST, manifests: INDEX.manifests }],
    ['an index that calls itself a manifest', { ...INDEX, mediaType: MediaTypes.ociManifest }],
    ['schema 1', { ...MANIFEST, schemaVersion: 1 }],
    ['no layers', { ...MANIFEST, layers: undefined }],
    ['a layer of no known type', { ...MANIFEST, layers: [descriptor('text/plain')] }],
    ['a negative size', { ...MANIFEST, config: { ...MANIFEST.config, size: -1 } }],
    ['a size beyond 2^53', { ...MANIFEST, config: { ...MANIFEST.config, size: 2 ** 60 } }],
    ['a digest that is a path', { ...MANIFEST, config: { ...MANIFEST.config, digest: 'sha256:../../x' } }],
    ['257 layers', { ...MANIFEST, layers: Array.from({ length: 257 }, () => MANIFEST.layers[0]) }],
    ['10 000 manifests', { ...INDEX, manifests: Array.from({ length: 10_000 }, () => INDEX.manifests[0]) }],
    ['an array', []],
    ['not JSON', '{'],
    ['null', 'null'],
  ])('refuses %s', (_name, document) => {
    expect(() => parseManifestOrIndex(bytes(document))).toThrow(invalid);
  });

  test('refuses a type other than the announced one', () => {
    expect(() => parseManifestOrIndex(bytes(MANIFEST), MediaTypes.dockerManifest)).toThrow(invalid);
  });

  test('refuses more than 4 MiB before parsing it', () => {
    const padded = `${JSON.stringify(MANIFEST)}${' '.repeat(MAX_MANIFEST_BYTES)}`;

    expect(() => parseManifestOrIndex(bytes(padded))).toThrow(/larger than/);
  });

  test('lists every issue by path', () => {
    const broken = { ...MANIFEST, schemaVersion: 3, config: { ...MANIFEST.config, size: 'x' } };

    expect(() => parseManifestOrIndex(bytes(broken))).toThrow(
      expect.objectContaining({
        issues: [expect.objectContaining({ path: '/schemaVersion' }), expect.objectContaining({ path: '/config/size' })],
      }),
    );
  });
});

describe('parseImageConfig', () => {
  test('reads defaults and diff ids', () => {
    expect(parseImageConfig(bytes(CONFIG))).toMatchObject({
      config: { cmd: ['sh'], env: ['PATH=/bin'], volumes: [] },
      diffIds: CONFIG.rootfs.diff_ids,
    });
  });

  test('drops labels that the engine would act upon, and keeps the others', () => {
    expect(parseImageConfig(bytes(CONFIG)).config.labels).toEqual({ maintainer: 'me' });
    expect(isReservedLabel('org.opencontainers.image.title')).toBe(false);
  });

  test('a field that docker writes as null counts as absent', () => {
    const config = parseImageConfig(bytes({ ...CONFIG, config: { Entrypoint: null, Volumes: null, Labels: null, User: '' } }));

    expect(config.config).toEqual({ env: [], exposedPorts: [], volumes: [], labels: {} });
  });

  test('finds the step behind each layer', () => {
    expect(layerHistory(parseImageConfig(bytes(CONFIG))).map((step) => step?.createdBy)).toEqual(['one', 'two']);
  });

  test.each([
    ['no rootfs', { ...CONFIG, rootfs: undefined }],
    ['a bad diff id', { ...CONFIG, rootfs: { type: 'layers', diff_ids: ['x'] } }],
    ['a command that is text', { ...CONFIG, config: { Cmd: 'sh' } }],
    ['a NUL in the environment', { ...CONFIG, config: { Env: ['A=\0'] } }],
    [
      '2 MB of labels',
      { ...CONFIG, config: { Labels: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`l${i}`, 'x'.repeat(60_000)])) } },
    ],
  ])('refuses %s', (_name, document) => {
    expect(() => parseImageConfig(bytes(document))).toThrow(invalid);
  });
});

test('arm64 and arm64/v8 are one platform; arm/v6 and arm/v7 are two', () => {
  expect(platformMatches({ os: 'linux', architecture: 'arm64' }, { os: 'linux', architecture: 'arm64', variant: 'v8' })).toBe(true);
  expect(platformMatches({ os: 'linux', architecture: 'arm', variant: 'v7' }, { os: 'linux', architecture: 'arm', variant: 'v6' })).toBe(
    false,
  );
  expect(hostPlatform('x64')).toEqual({ os: 'linux', architecture: 'amd64' });
});

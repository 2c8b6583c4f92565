/**
 * Images of the shapes that tell stores, registries and unpackers apart, made by code and the same every time.
 *
 *     many-small    one layer of small files, as a language's packages are
 *     few-large     three layers of a few large files
 *     deep          one layer of long paths
 *     many-layers   layers of a few files each, that change and remove what is below
 *
 * Knows: what is in them, how they are packed, and how a layout holds them.
 * Does not know: who reads them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type EntryInit, tarEnd, tarMember } from '@slipway/layers';
import { type Descriptor, digestOf, MediaTypes, splitDigest } from '@slipway/oci';

export const SHAPES = ['many-small', 'few-large', 'deep', 'many-layers'] as const;
export type Shape = (typeof SHAPES)[number];
export const PACKINGS = ['none', 'gzip', 'zstd'] as const;
export type Packing = (typeof PACKINGS)[number];
export type Dialect = 'oci' | 'docker';

export interface CorpusImage {
  /** `<shape>-<packing>-<dialect>`, or what an index was named. */
  readonly tag: string;
  readonly target: Descriptor;
}

type Member = readonly [entry: EntryInit, content?: Uint8Array | string];

/** Text that shrinks to about a third, as programs and documents do; slices of it are files. */
const TEXT = makeText(4 * 1024 ** 2);
/** Bytes that do not shrink, as pictures and archives. */
const NOISE = makeNoise(4 * 1024 ** 2);

/**
 * The layers of a shape, uncompressed, bottom first.
 * @param scale 1: some 60 to 200 MiB an image, for benches; tests take a hundredth
 */
export function* corpusLayers(shape: Shape, scale: number): Generator<Buffer> {
  const times = (count: number) => Math.max(1, Math.round(count * scale));
  if (shape === 'many-small') yield packMembers(manySmall(times(20_000)));
  if (shape === 'deep') yield packMembers(deep(times(60), Math.max(8, times(40))));
  if (shape === 'few-large') for (let at = 0; at < 3; at++) yield packMembers(large(at, times(64 * 1024 ** 2)));
  if (shape === 'many-layers') for (let at = 0; at < Math.max(12, times(40)); at++) yield packMembers(changes(at, times(80)));
}

function* manySmall(count: number): Generator<Member> {
  for (let at = 0; at < count; at++) {
    const directory = `usr/lib/m${Math.floor(at / 40)}`;
    if (at % 40 === 0) yield [{ name: `${directory}/`, type: 'directory' }];
    const start = (at * 4099) % (TEXT.length - 8192);
    yield [
      { name: `${directory}/f${at}.js`, type: 'file', mode: at % 7 === 0 ? 0o755 : 0o644, mtime: 1_700_000_000 + at },
      TEXT.subarray(start, start + ((at * 37) % 8000)),
    ];
    if (at % 50 === 49) yield [{ name: `${directory}/link${at}`, type: 'symlink', linkName: `f${at}.js` }];
    if (at % 50 === 25) yield [{ name: `${directory}/same${at}`, type: 'hardlink', linkName: `${directory}/f${at}.js` }];
  }
}

function* large(layer: number, bytes: number): Generator<Member> {
  const half = Math.ceil(bytes / 2);
  yield [{ name: `data/text${layer}`, type: 'file' }, filled(TEXT, half)];
  yield [{ name: `data/noise${layer}`, type: 'file' }, filled(NOISE, half)];
}

function* deep(chains: number, depth: number): Generator<Member> {
  for (let chain = 0; chain < chains; chain++) {
    let path = `chain${chain}`;
    for (let level = 0; level < depth; level++, path += `/level-${level}-of-a-long-path`) {
      if (path.length > 3000) break;
      yield [{ name: `${path}/`, type: 'directory', mode: 0o755 }];
      yield [{ name: `${path}/file`, type: 'file' }, TEXT.subarray(level, level + 700)];
    }
  }
}

function* changes(layer: number, count: number): Generator<Member> {
  yield [{ name: 'app/', type: 'directory' }];
  for (let at = 0; at < count; at++) {
    const start = (layer * 7919 + at * 131) % (TEXT.length - 20_000);
    yield [{ name: `app/f${at + layer * 3}`, type: 'file' }, TEXT.subarray(start, start + ((at * 211) % 20_000))];
  }
  if (layer > 0) yield [{ name: `app/.wh.f${(layer - 1) * 3}`, type: 'file' }];
}

function packMembers(members: Iterable<Member>): Buffer {
  const parts: Uint8Array[] = [];
  for (const [entry, content] of members) parts.push(tarMember(entry, content));
  return Buffer.concat([...parts, tarEnd()]);
}

const PACK: Readonly<Record<Packing, (tar: Buffer) => Uint8Array>> = {
  none: (tar) => tar,
  gzip: (tar) => gzipSync(tar, { level: 6 }),
  zstd: (tar) => zstdCompressSync(tar),
};
const LAYER_TYPE: Readonly<Record<Dialect, Readonly<Record<Packing, string>>>> = {
  oci: { none: MediaTypes.ociLayer, gzip: MediaTypes.ociLayerGzip, zstd: MediaTypes.ociLayerZstd },
  docker: { none: MediaTypes.dockerLayer, gzip: MediaTypes.dockerLayerGzip, zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd' },
};

/** An OCI layout on the disk. One writer. */
export class CorpusLayout {
  readonly #directory: string;
  readonly #images: CorpusImage[] = [];

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(`${directory}/blobs/sha256`, { recursive: true });
    writeFileSync(`${directory}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
  }

  get images(): readonly CorpusImage[] {
    return this.#images;
  }

  /** Adds an image of this shape. */
  add(shape: Shape, packing: Packing, dialect: Dialect, scale: number): CorpusImage {
    const layers: Descriptor[] = [];
    const diffIds: string[] = [];
    for (const tar of corpusLayers(shape, scale)) {
      diffIds.push(digestOf(tar));
      layers.push(this.#blob(LAYER_TYPE[dialect][packing], PACK[packing](tar)));
    }
    const config = this.#json(dialect === 'oci' ? MediaTypes.ociConfig : MediaTypes.dockerConfig, {
      architecture: 'amd64',
      os: 'linux',
      created: '2023-11-14T22:13:20Z',
      config: { Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: layers.map((_layer, at) => ({ created: '2023-11-14T22:13:20Z', created_by: `step ${at + 1}` })),
    });
    const mediaType = dialect === 'oci' ? MediaTypes.ociManifest : MediaTypes.dockerManifest;
    return this.#tag(`${shape}-${packing}-${dialect}`, this.#json(mediaType, { schemaVersion: 2, mediaType, config, layers }));
  }

  /** An index over images that are here, one for each platform. */
  index(tag: string, images: readonly CorpusImage[]): CorpusImage {
    const platforms = ['amd64', 'arm64', 'riscv64', 's390x'];
    const manifests = images.map(({ target }, at) => ({ ...target, platform: { os: 'linux', architecture: platforms[at] } }));
    return this.#tag(tag, this.#json(MediaTypes.ociIndex, { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests }));
  }

  #tag(tag: string, target: Descriptor): CorpusImage {
    this.#images.push({ tag, target });
    const manifests = this.#images.map((image) => ({ ...image.target, annotations: { 'org.opencontainers.image.ref.name': image.tag } }));
    writeFileSync(`${this.#directory}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
    return { tag, target };
  }

  #json(mediaType: string, value: unknown): Descriptor {
    return this.#blob(mediaType, Buffer.from(JSON.stringify(value)));
  }

  #blob(mediaType: string, bytes: Uint8Array): Descriptor {
    const digest = digestOf(bytes);
    writeFileSync(`${this.#directory}/blobs/sha256/${splitDigest(digest).hex}`, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }
}

function filled(source: Buffer, bytes: number): Buffer {
  return Buffer.alloc(bytes, source);
}

function makeText(bytes: number): Buffer {
  const words = 'the layer of an image holds what it adds to those below and nothing else function return const export import from'.split(
    ' ',
  );
  const random = generator(1);
  const parts: string[] = [];
  for (let length = 0; length < bytes; ) {
    const word = random() % 3 === 0 ? (random() % 100_000).toString(36) : (words[random() % words.length] ?? '');
    parts.push(word);
    length += word.length + 1;
  }
  return Buffer.from(parts.join(' ')).subarray(0, bytes);
}

function makeNoise(bytes: number): Buffer {
  const random = generator(2);
  const noise = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) noise.writeUInt32LE(random(), at);
  return noise;
}

/** xorshift: the same numbers everywhere. */
function generator(seed: number): () => number {
  let state = seed * 2_654_435_769;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * `oci:PATH[:NAME]`: an OCI layout, in which one image is meant.
 *
 * Knows: index.json and blobs/.
 * Does not know: archives of layouts (oci-archive.ts).
 *
 * @spec image-spec/image-layout.md
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import {
  type Descriptor,
  type Digest,
  digestOf,
  FieldReader,
  isObject,
  MAX_MANIFEST_BYTES,
  parseJsonObject,
  readDescriptor,
  splitDigest,
} from '@slipway/oci';
import { UsageError } from '../flags.ts';
import { fileBytes, keep, readBlob } from './blobs.ts';
import { mediaTypeOf } from './directory.ts';
import type { ImageDestination, ImageSource, LayerForm, ManifestBytes } from './transport.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';

export function openLayoutSource(path: string, image: string | undefined): ImageSource {
  if (!existsSync(`${path}/index.json`))
    throw new UsageError(`initializing source oci:${path}: open ${path}/index.json: no such file or directory`);
  const { entries } = readIndex(path);
  const found = entries.filter(({ annotations }) => image === undefined || annotations?.[REF_NAME] === image);
  const [top] = found;
  if (top === undefined) throw new UsageError(`no descriptor found for reference "${image ?? ''}" in ${path}`);
  if (found.length > 1 && image === undefined) throw new UsageError(`more than one image in oci:${path}, choose an image`);
  return {
    name: '',
    manifest: async (digest) => {
      const file = blobPath(path, digest ?? top.digest);
      const size = statSync(file).size;
      const bytes = await readBlob(fileBytes(file), { mediaType: '', digest: digest ?? top.digest, size }, MAX_MANIFEST_BYTES);
      return { bytes, mediaType: digest === undefined ? top.mediaType : mediaTypeOf(bytes) };
    },
    blob: async ({ digest }) => fileBytes(blobPath(path, digest)),
    tags: async () => undefined,
    close: async () => undefined,
  };
}

export function openLayoutDestination(path: string, image: string | undefined, layers: LayerForm): ImageDestination {
  for (const algorithm of ['sha256', 'sha512']) mkdirSync(`${path}/blobs/${algorithm}`, { recursive: true });
  let top: ManifestBytes | undefined;
  const put = async (digest: Digest, bytes: AsyncIterable<Uint8Array>) => {
    const file = blobPath(path, digest);
    await keep(bytes, `${file}.partial`).catch((error: unknown) => {
      rmSync(`${file}.partial`, { force: true });
      throw error;
    });
    renameSync(`${file}.partial`, file);
  };
  return {
    accepts: ['oci'],
    layers,
    hasBlob: async ({ digest, size }) => statSync(blobPath(path, digest), { throwIfNoEntry: false })?.size === size,
    putBlob: ({ digest }, bytes) => put(digest, bytes),
    putManifest: async (manifest, child) => {
      await put(
        child ?? digestOf(manifest.bytes),
        (async function* () {
          yield manifest.bytes;
        })(),
      );
      if (child === undefined) top = manifest;
    },
    commit: async () => {
      if (top === undefined) throw new UsageError(`nothing was put into oci:${path}`);
      writeFileSync(`${path}/oci-layout`, '{"imageLayoutVersion": "1.0.0"}');
      writeIndex(path, { mediaType: top.mediaType, digest: digestOf(top.bytes), size: top.bytes.byteLength }, image);
    },
    close: async () => undefined,
  };
}

/** Takes the image out of the index; its blobs stay, others may share them. */
export function deleteFromLayout(path: string, image: string | undefined): void {
  const { document, entries } = readIndex(path);
  const kept = entries.filter(({ annotations }) => image !== undefined && annotations?.[REF_NAME] !== image);
  if (kept.length === entries.length) throw new UsageError(`no descriptor found for reference "${image ?? ''}" in ${path}`);
  writeFileSync(`${path}/index.json`, JSON.stringify({ ...document, manifests: kept }));
}

/** Another image of this name makes room; without a name it is the only one that has none. */
function writeIndex(path: string, descriptor: Descriptor, image: string | undefined): void {
  const { document, entries } = existsSync(`${path}/index.json`) ? readIndex(path) : { document: { schemaVersion: 2 }, entries: [] };
  const others = entries.filter(({ annotations }) => annotations?.[REF_NAME] !== image);
  const entry = image === undefined ? descriptor : { ...descriptor, annotations: { [REF_NAME]: image } };
  writeFileSync(`${path}/index.json.partial`, JSON.stringify({ ...document, manifests: [...others, entry] }));
  renameSync(`${path}/index.json.partial`, `${path}/index.json`);
}

function readIndex(path: string): { readonly document: object; readonly entries: readonly Descriptor[] } {
  const document = parseJsonObject('index.json', readFileSync(`${path}/index.json`), MAX_MANIFEST_BYTES);
  const read = new FieldReader('index.json');
  const list = read.list(document['manifests'], '/manifests', 10_000) ?? [];
  const entries = list.filter(isObject).map((entry, at) => readDescriptor(read, entry, `/manifests/${at}`));
  read.finish();
  return { document, entries: entries.filter((entry) => entry !== undefined) };
}

function blobPath(path: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `${path}/blobs/${algorithm}/${hex}`;
}

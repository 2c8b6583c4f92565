/**
 * From one place to another: blobs, then manifests, then the name.
 *
 *     index ─┬─▶ every manifest (--all), or the one of this platform
 *            └─▶ layer: as it is │ packed │ unpacked ──▶ config ──▶ manifest, said in the other family's words where it must be
 *
 * Knows: what has to change on the way, and that nothing does unless it has to: bytes that stay keep their digest.
 * Does not know: places (transport.ts).
 */
import { type Descriptor, type Digest, digestOf, isIndexType, layerCompression } from '@slipway/oci';
import { UsageError } from '../flags.ts';
import { checked, compressionOf, fileBytes, type KeptBlob, keep, packed, unpacked } from './blobs.ts';
import { familyOf, formatIndex, formatManifest, layerTypeIn } from './convert.ts';
import { chooseManifest, readImageManifest, readIndexManifests } from './manifest.ts';
import type { ImageDestination, ImageSource, LayerForm, ManifestBytes, ManifestFamily, Surroundings } from './transport.ts';

export interface CopyOptions {
  /** Every manifest of an index, instead of this platform's. */
  readonly all: boolean;
  readonly format?: ManifestFamily;
  /** Fail rather than change a manifest. */
  readonly preserveDigests: boolean;
  readonly say: (line: string) => void;
}

/** @returns the digest that the image has at its destination */
export async function copyImage(
  source: ImageSource,
  destination: ImageDestination,
  options: CopyOptions,
  surroundings: Surroundings,
): Promise<Digest> {
  options.say('Getting image source signatures');
  const top = await source.manifest();
  const copy = new Copy(source, destination, options, surroundings);
  const put = isIndexType(top.mediaType) ? await copy.index(top) : await copy.image(top);
  options.say('Writing manifest to image destination');
  await destination.putManifest(put);
  await destination.commit();
  options.say('Storing signatures');
  return digestOf(put.bytes);
}

class Copy {
  readonly #source: ImageSource;
  readonly #destination: ImageDestination;
  readonly #options: CopyOptions;
  readonly #surroundings: Surroundings;

  constructor(source: ImageSource, destination: ImageDestination, options: CopyOptions, surroundings: Surroundings) {
    this.#source = source;
    this.#destination = destination;
    this.#options = options;
    this.#surroundings = surroundings;
  }

  /** All of it, or the one image that fits. */
  async index(top: ManifestBytes): Promise<ManifestBytes> {
    if (!this.#options.all) return await this.image(await this.#child(chooseManifest(top, this.#surroundings.platform).digest));
    const entries = readIndexManifests(top);
    const children = new Map<Digest, ManifestBytes>();
    for (const [at, { digest }] of entries.entries()) {
      this.#options.say(`Copying image ${digest} (${at + 1}/${entries.length})`);
      const child = await this.image(await this.#child(digest));
      await this.#destination.putManifest(child, digestOf(child.bytes));
      children.set(digest, child);
    }
    return this.#keepDigest(top, formatIndex(this.#familyFor(top.mediaType), top, children));
  }

  /** The blobs, and the manifest as it will be there. */
  async image(source: ManifestBytes): Promise<ManifestBytes> {
    const manifest = readImageManifest(source);
    const family = this.#familyFor(source.mediaType);
    const layers: Descriptor[] = [];
    for (const layer of manifest.layers) layers.push(await this.#layer(layer, family));
    await this.#blob('config', manifest.config);
    const same = family === familyOf(source.mediaType) && layers.every((layer, at) => isSame(layer, manifest.layers[at]));
    return same ? source : this.#keepDigest(source, formatManifest(family, manifest, layers));
  }

  #familyFor(mediaType: string): ManifestFamily {
    const { accepts } = this.#destination;
    const wanted = this.#options.format ?? familyOf(mediaType);
    if (accepts.includes(wanted)) return wanted;
    const [first] = accepts;
    if (first === undefined || this.#options.format !== undefined)
      throw new UsageError(`the destination does not take manifests of the format ${wanted}`);
    return first;
  }

  async #child(digest: Digest): Promise<ManifestBytes> {
    const child = await this.#source.manifest(digest);
    if (digestOf(child.bytes) !== digest && digest.startsWith('sha256:')) throw new UsageError(`the manifest ${digest} has another digest`);
    return child;
  }

  #keepDigest(before: ManifestBytes, after: ManifestBytes): ManifestBytes {
    if (this.#options.preserveDigests && digestOf(before.bytes) !== digestOf(after.bytes))
      throw new UsageError('Manifest list must be converted, but we cannot modify it: "Instructed to preserve digests"');
    return after;
  }

  async #layer(layer: Descriptor, family: ManifestFamily): Promise<Descriptor> {
    // A layer in another form would be another digest.
    const form = this.#options.preserveDigests ? 'as-they-are' : this.#destination.layers;
    const named = layerCompression(layer.mediaType);
    // An artifact's files are whatever they are; docker's type says gzip of both.
    const isSpoken = named !== 'detect';
    if (form === 'as-they-are' || named === undefined || (isSpoken && packingOf(layer) === form)) {
      await this.#blob('blob', layer);
      return { ...layer, mediaType: layerTypeIn(family, layer.mediaType) };
    }
    this.#options.say(`Copying blob ${layer.digest}`);
    const kept = await keep(checked(await this.#source.blob(layer), layer), this.#surroundings.temporary());
    const { file, packing } = await this.#inForm(kept, form);
    const descriptor = { ...layer, mediaType: layerTypeIn(family, layer.mediaType, packing), digest: file.digest, size: file.size };
    if (!(await this.#destination.hasBlob(descriptor))) await this.#destination.putBlob(descriptor, fileBytes(file.path));
    return descriptor;
  }

  /** Packed layers stay as they are packed, unless plain ones are wanted. */
  async #inForm(kept: KeptBlob, form: LayerForm): Promise<{ readonly file: KeptBlob; readonly packing: 'none' | 'gzip' | 'zstd' }> {
    const head = (await fileBytes(kept.path)[Symbol.asyncIterator]().next()).value as Uint8Array | undefined;
    const found = compressionOf(head ?? new Uint8Array());
    if (form === 'plain') {
      if (found === 'none') return { file: kept, packing: 'none' };
      return { file: await keep(unpacked(fileBytes(kept.path)), this.#surroundings.temporary()), packing: 'none' };
    }
    if (form === 'as-they-are' || found !== 'none') return { file: kept, packing: found };
    return { file: await keep(packed(fileBytes(kept.path), form), this.#surroundings.temporary()), packing: form };
  }

  async #blob(what: 'blob' | 'config', descriptor: Descriptor): Promise<void> {
    this.#options.say(`Copying ${what} ${descriptor.digest}`);
    if (await this.#destination.hasBlob(descriptor)) return;
    await this.#destination.putBlob(descriptor, checked(await this.#source.blob(descriptor), descriptor));
  }
}

function packingOf({ mediaType }: Descriptor): LayerForm {
  const packing = layerCompression(mediaType);
  return packing === 'none' ? 'plain' : packing === 'gzip' || packing === 'zstd' ? packing : 'as-they-are';
}

function isSame(a: Descriptor, b: Descriptor | undefined): boolean {
  return b !== undefined && a.digest === b.digest && a.mediaType === b.mediaType;
}

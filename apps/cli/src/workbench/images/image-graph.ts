/**
 * An image as a graph: its documents from the machine's registry where that has them, else from the engine's store.
 *
 *     name ─▶ index ─▶ manifest ─┬▶ config
 *                                └▶ layer, layer …
 *
 * Knows: which document leads to which, and how many of them may be shown.
 * Does not know: how it is drawn; who asked.
 */
import type { ImageGraph, ImageNode } from '@slipway/contracts';
import { type Digest, formatPlatform, hostPlatform, isDigest, type JsonObject, parseReference, platformRank } from '@slipway/oci';
import { unusable } from '../failures.ts';
import { kindOfDocument, layersOfConfig, type Pointer, parseDocument, pointersOf } from './documents.ts';
import type { EngineBlobs } from './engine-blobs.ts';
import type { MachineRegistry } from './machine-registry.ts';

/** What the engine knows of an image that it has. */
export interface LocalImage {
  /** Of the config. */
  readonly id: string;
  /** Digests that registries have it under. */
  readonly repoDigests: readonly string[];
}

export interface ImagePlaces {
  readonly registry: MachineRegistry;
  readonly blobs: EngineBlobs;
}

/** Manifests of one index that are read; an index may name a thousand. */
const MAX_MANIFESTS = 24;
const MAX_NODES = 900;
const MAX_DOCUMENT_BYTES = 200_000;
/** Over all nodes: quotes double within a line of JSON. */
const MAX_DOCUMENTS_BYTES = 700_000;

/**
 * @param local absent: the engine does not have it
 * @throws `failed-precondition` / `E_WORKBENCH_IMAGE` when neither has it; `E_WORKBENCH_REGISTRY` when only the registry can tell, and is silent
 */
export async function readImageGraph(image: string, local: LocalImage | undefined, places: ImagePlaces): Promise<ImageGraph> {
  const place = repositoryOf(image);
  const builder = new GraphBuilder(places, place?.repository);
  const found = place && (await places.registry.manifest(place.repository, place.target));
  if (found !== undefined) {
    await builder.grow({ digest: found.digest, mediaType: found.mediaType, sizeBytes: found.bytes.byteLength, kind: 'other' }, false);
    if (local === undefined || builder.has(local.id)) return builder.graph(image, found.digest);
  }
  const { isSilent } = places.registry;
  if (local === undefined && isSilent) {
    throw unusable(
      `the machine's registry does not answer, and the engine does not have ${JSON.stringify(image)}`,
      'E_WORKBENCH_REGISTRY',
      'tail /var/log/slipwayd.log',
    );
  }
  if (local === undefined) {
    throw unusable(
      `neither the engine nor the machine's registry has ${JSON.stringify(image)}`,
      'E_WORKBENCH_IMAGE',
      `docker pull ${image}`,
    );
  }
  return await graphOfLocal(image, local, { places, repository: place?.repository, isOther: found !== undefined });
}

async function graphOfLocal(
  image: string,
  local: LocalImage,
  { places, repository, isOther }: { readonly places: ImagePlaces; readonly repository: string | undefined; readonly isOther: boolean },
): Promise<ImageGraph> {
  const known = local.repoDigests.map((name) => name.replace(/^.*@/, '')).filter(isDigest);
  for (const digest of [...known, ...(isDigest(local.id) ? [await places.blobs.manifestOf(local.id)] : [])]) {
    if (digest === undefined) continue;
    const builder = new GraphBuilder(places, repository);
    await builder.grow({ digest, mediaType: '', sizeBytes: 0, kind: 'other' }, false);
    if (!builder.has(local.id)) continue;
    if (isOther) builder.note('the machine’s registry has another image under this name; this is the engine’s');
    return builder.graph(image, digest);
  }
  throw unusable(`the engine's documents of ${JSON.stringify(image)} cannot be read`, 'E_WORKBENCH_IMAGE', 'choose another image');
}

class GraphBuilder {
  readonly #places: ImagePlaces;
  readonly #repository: string | undefined;
  readonly #nodes = new Map<string, ImageNode>();
  readonly #notes = new Set<string>();
  #documentBytes = 0;

  constructor(places: ImagePlaces, repository: string | undefined) {
    this.#places = places;
    this.#repository = repository;
  }

  has(digest: string): boolean {
    return this.#nodes.has(digest);
  }

  note(sentence: string): void {
    this.#notes.add(sentence);
  }

  graph(image: string, root: Digest): ImageGraph {
    return { image, root, nodes: [...this.#nodes.values()], notes: [...this.#notes].slice(0, 20) };
  }

  /**
   * The node of a pointer and everything below it.
   * @param isServed the document that points at it is in the registry, which takes none before it has all that it names
   */
  async grow(pointer: Pointer, isServed: boolean): Promise<void> {
    if (this.#nodes.has(pointer.digest)) return;
    if (this.#nodes.size >= MAX_NODES) return this.note(`only the first ${MAX_NODES} parts are shown`);
    this.#nodes.set(pointer.digest, await this.#leaf(pointer, isServed));
    if (pointer.kind === 'layer') return;
    await this.#read(pointer);
  }

  async #leaf({ digest, kind, mediaType, sizeBytes, platform }: Pointer, isServed: boolean): Promise<ImageNode> {
    const noun = kind === 'index' || kind === 'manifest' ? 'manifests' : 'blobs';
    const served = isServed ? `/v2/${this.#repository}/${noun}/${digest}` : undefined;
    const file = await this.#places.blobs.find(digest);
    return {
      digest,
      kind,
      mediaType,
      sizeBytes,
      ...(platform === undefined ? {} : { platform: formatPlatform(platform) }),
      ...(served === undefined ? {} : { served }),
      ...(file === undefined ? {} : { file }),
    };
  }

  async #read(pointer: Pointer): Promise<void> {
    const found = await this.#document(pointer);
    const document = found && parseDocument(found.bytes);
    if (found === undefined || document === undefined) {
      if (pointer.kind !== 'other') this.note(`the ${pointer.kind} ${pointer.digest} cannot be read here`);
      return;
    }
    const mediaType = pointer.mediaType || found.mediaType || String(document['mediaType'] ?? '').slice(0, 255);
    const kind = pointer.kind === 'other' ? kindOfDocument(document, mediaType) : pointer.kind;
    const pointers = kind === 'config' ? [] : pointersOf(document);
    this.#change(pointer.digest, {
      kind,
      mediaType,
      sizeBytes: found.bytes.byteLength,
      children: [...new Set(pointers.map(({ digest }) => digest))],
      ...(found.served === undefined ? {} : { served: found.served }),
      ...this.#shown(found.bytes),
    });
    if (kind === 'config') return;
    await this.#follow(kind, pointers, found.served !== undefined);
    if (kind === 'manifest') this.#tellLayers(pointers);
  }

  async #follow(kind: ImageNode['kind'], pointers: readonly Pointer[], isServed: boolean): Promise<void> {
    const taken = kind === 'index' ? takenOf(pointers) : undefined;
    // What this machine takes is read whatever else there is.
    const inOrder = [...pointers].sort((a, b) => Number(b === taken) - Number(a === taken));
    for (const [index, pointer] of inOrder.entries()) {
      if (kind === 'index' && index >= MAX_MANIFESTS) {
        this.note(`only ${MAX_MANIFESTS} of ${pointers.length} manifests were read`);
        if (!this.has(pointer.digest)) this.#nodes.set(pointer.digest, await this.#leaf(pointer, isServed));
      } else await this.grow(pointer, isServed);
    }
    if (taken !== undefined) this.#change(taken.digest, { taken: true });
  }

  async #document({ digest, kind }: Pointer) {
    const { registry, blobs } = this.#places;
    if (this.#repository !== undefined) {
      const manifest = kind === 'config' ? undefined : await registry.manifest(this.#repository, digest);
      if (manifest !== undefined) return { bytes: manifest.bytes, mediaType: manifest.mediaType, served: manifest.at };
      const bytes = await registry.blob(this.#repository, digest);
      if (bytes !== undefined) return { bytes, mediaType: '', served: `/v2/${this.#repository}/blobs/${digest}` };
    }
    const bytes = await blobs.read(digest);
    return bytes && { bytes, mediaType: '', served: undefined };
  }

  #shown(bytes: Buffer): { readonly document?: string } {
    if (bytes.byteLength > MAX_DOCUMENT_BYTES || this.#documentBytes + bytes.byteLength > MAX_DOCUMENTS_BYTES) return {};
    this.#documentBytes += bytes.byteLength;
    return { document: bytes.toString('utf8') };
  }

  /** Only the config says which step made a layer. */
  #tellLayers(pointers: readonly Pointer[]): void {
    const config = pointers.find(({ kind }) => kind === 'config');
    const text = config && this.#nodes.get(config.digest)?.document;
    const facts = layersOfConfig((text === undefined ? undefined : parseDocument(Buffer.from(text))) ?? ({} as JsonObject));
    for (const [index, { digest }] of pointers.filter(({ kind }) => kind === 'layer').entries()) this.#change(digest, facts[index] ?? {});
  }

  #change(digest: string, more: Partial<ImageNode>): void {
    const node = this.#nodes.get(digest);
    if (node !== undefined) this.#nodes.set(digest, { ...node, ...more });
  }
}

/** As `docker pull` chooses. */
function takenOf(pointers: readonly Pointer[]): Pointer | undefined {
  const here = hostPlatform(process.arch);
  const ranked = pointers.flatMap((pointer) => {
    const rank = pointer.platform === undefined ? undefined : platformRank(here, pointer.platform);
    return rank === undefined ? [] : [{ pointer, rank }];
  });
  return ranked.toSorted((a, b) => a.rank - b.rank)[0]?.pointer;
}

/** Where the machine's registry has a name; it stands in for docker.io, too. */
export function repositoryOf(image: string): { readonly repository: string; readonly target: string } | undefined {
  try {
    const { domain, path, tag, digest } = parseReference(image);
    if (!['docker.io', '127.0.0.1:5000', 'localhost:5000'].includes(domain)) return undefined;
    return { repository: path, target: digest ?? tag ?? 'latest' };
  } catch {
    return undefined; // an id
  }
}

/**
 * Finding images: from what a user typed to a record, and from a record to the whole image.
 *
 * Knows: names, ids and their abbreviations; reads each image's documents once and keeps them, since they never change.
 * Does not know: loading or removing.
 */
import type { ContentStore } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import {
  type ChainId,
  chainIds,
  type Digest,
  formatReference,
  type ImageConfig,
  layerHistory,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  parseImageConfig,
  parseManifestOrIndex,
  parseReference,
  type Reference,
} from '@slipway/oci';
import type { Image, ImageLayer } from './image-store.ts';
import type { ImageRow, ImageTable } from './image-table.ts';

interface Documents {
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
}

export class ImageCatalog {
  readonly #table: ImageTable;
  readonly #content: ContentStore;
  readonly #arriving: (chainId: ChainId) => number | undefined;
  readonly #documents = new Map<Digest, Documents>();

  /** @param arriving see ImageLayer.hereBytes */
  constructor(table: ImageTable, content: ContentStore, arriving: (chainId: ChainId) => number | undefined) {
    this.#table = table;
    this.#content = content;
    this.#arriving = arriving;
  }

  list(): Promise<readonly Image[]> {
    return Promise.all(this.#table.list().map((row) => this.#describe(row)));
  }

  async get(nameOrId: string): Promise<Image> {
    const image = await this.find(nameOrId);
    if (image !== undefined) return image;
    throw new EngineError('not-found', `no such image: ${nameOrId.slice(0, 300)}`, {
      code: 'E_IMAGE_NOT_FOUND',
      op: 'image.get',
      subject: nameOrId.slice(0, 300),
      hint: 'List the images that are here, or load one from an archive.',
    });
  }

  async find(nameOrId: string): Promise<Image | undefined> {
    const row = this.#findByName(nameOrId) ?? this.#findById(nameOrId);
    return row && (await this.#describe(row));
  }

  /** The full name by which `text` found `image`; undefined when it found it by id. */
  nameOf(text: string, image: Image): string | undefined {
    const reference = tryReference(text);
    if (reference === undefined) return undefined;
    const { digest: _digest, ...named } = reference;
    const name = formatReference({ ...named, tag: named.tag ?? 'latest' });
    return image.names.includes(name) ? name : undefined;
  }

  #findByName(text: string): ImageRow | undefined {
    const reference = tryReference(text);
    if (reference === undefined) return undefined;
    if (reference.digest === undefined) {
      const id = this.#table.resolveName(formatReference(reference));
      return id && this.#table.find(id);
    }
    const { digest, domain, path } = reference;
    const known = this.#table.resolveRepoDigest(`${domain}/${path}@${digest}`);
    if (known !== undefined) return this.#table.find(known);
    const repository = `${domain}/${path}:`;
    return this.#table
      .list()
      .find((row) => row.manifest.digest === digest && this.#table.namesOf(row.id).some((name) => name.startsWith(repository)));
  }

  #findById(text: string): ImageRow | undefined {
    const [, hex] = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text) ?? [];
    if (hex === undefined) return undefined;
    const [row, other] = this.#table.findByPrefix(hex);
    if (other === undefined) return row;
    throw new EngineError('invalid-argument', `${JSON.stringify(text)} begins the ids of several images`, {
      code: 'E_IMAGE_AMBIGUOUS',
      op: 'image.get',
      subject: text,
      hint: 'Give more digits of the id.',
    });
  }

  async #describe(row: ImageRow): Promise<Image> {
    const { config, layers } = await this.#read(row);
    return {
      id: row.id,
      names: this.#table.namesOf(row.id),
      repoDigests: this.#table.repoDigestsOf(row.id),
      manifest: row.manifest,
      config,
      layers: layers.map((layer) => this.#withArrival(layer)),
      sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      loadedAtMs: row.loadedAtMs,
    };
  }

  #withArrival(layer: ImageLayer): ImageLayer {
    const hereBytes = this.#arriving(layer.chainId);
    return hereBytes === undefined ? layer : { ...layer, hereBytes };
  }

  async #read({ id, manifest: { digest } }: ImageRow): Promise<Documents> {
    const known = this.#documents.get(digest);
    if (known !== undefined) return known;
    const manifest = parseManifestOrIndex(await this.#content.read(digest, MAX_MANIFEST_BYTES));
    if (manifest.kind !== 'manifest') {
      throw new EngineError('data-loss', `the record of image ${id} does not point at a manifest`, {
        code: 'E_IMAGE_RECORD',
        op: 'image.get',
        subject: id,
      });
    }
    const config = parseImageConfig(await this.#content.read(id, MAX_CONFIG_BYTES));
    const documents = { config, layers: this.#layersOf(manifest, config) };
    this.#documents.set(digest, documents);
    return documents;
  }

  #layersOf(manifest: Manifest, config: ImageConfig): readonly ImageLayer[] {
    const history = layerHistory(config);
    const chains = chainIds(config.diffIds);
    return manifest.layers.flatMap((descriptor, index): ImageLayer[] => {
      const [diffId, chainId, createdBy] = [config.diffIds[index], chains[index], history[index]?.createdBy];
      if (diffId === undefined || chainId === undefined) return [];
      const sizeBytes = this.#table.layerBytes(chainId);
      return [{ diffId, chainId, descriptor, sizeBytes, ...(createdBy === undefined ? {} : { createdBy }) }];
    });
  }
}

/** What cannot be a reference may still be an id. */
function tryReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

/**
 * The store's dealings with registries: pull, push, look, log in.
 *
 * Knows: what is recorded after a pull or a push, and that nothing is collected meanwhile.
 * Does not know: how bytes travel. The client is loaded when it is first needed: an engine that never pulls does not carry it.
 */
import type { ContentStore } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import { failPoint, isDiskFull } from '@slipway/kernel';
import {
  type Digest,
  formatReference,
  MAX_CONFIG_BYTES,
  type Platform,
  parseImageConfig,
  parseManifestOrIndex,
  parseReference,
  type Reference,
} from '@slipway/oci';
import type { Credentials, RegistryClient, SharedFetches } from '@slipway/registry-client';
import { diskFull } from './disk-full.ts';
import type { Image } from './image-store.ts';
import type { ImageTable } from './image-table.ts';
import type { LazyLayers } from './lazy-layers.ts';
import { pullImage } from './pull-image.ts';
import { pushImage } from './push-image.ts';
import type { PullOptions, PullReport, PushOptions, PushReport, RegistrySettings, RemoteImage } from './registry-port.ts';
import type { LayerUnpacker } from './unpack-image.ts';

export interface RegistriesParts {
  readonly content: ContentStore;
  readonly table: ImageTable;
  readonly unpacker: LayerUnpacker;
  readonly lazy: LazyLayers;
  /** Of pulls that do not say. */
  readonly lazyPulls: boolean;
  readonly platform: Platform;
  readonly settings: RegistrySettings;
  readonly images: () => Promise<readonly Image[]>;
  readonly get: (nameOrId: string) => Promise<Image>;
  /** Keeps the store from collecting while `work` runs. */
  readonly holding: <T>(work: () => Promise<T>) => Promise<T>;
  /** Settles once no collection that began before is still running. */
  readonly settled: () => Promise<unknown>;
}

export class Registries {
  readonly #parts: RegistriesParts;
  #opened: Promise<{ readonly client: RegistryClient; readonly fetches: SharedFetches }> | undefined;

  constructor(parts: RegistriesParts) {
    this.#parts = parts;
  }

  /** Pulls an image; its record comes last, so that a crash leaves none of half an image. */
  pull(text: string, options: PullOptions): Promise<PullReport> {
    const reference = parseReference(text);
    return this.#parts.holding(async () => {
      try {
        return await this.#pull(reference, options);
      } catch (error) {
        throw isDiskFull(error) ? diskFull('image.pull', error) : error;
      }
    });
  }

  /** Pushes the image that has this name, to where the name says. */
  push(text: string, options: PushOptions): Promise<PushReport> {
    const { digest, ...reference } = parseReference(text);
    if (digest !== undefined) throw notByDigest(text);
    return this.#parts.holding(async () => {
      const name = formatReference(reference);
      const image = await this.#parts.get(name);
      await this.#parts.lazy.requireWhole(image.layers);
      const { client } = await this.#open();
      using repository = await client.open(reference, 'push', options);
      await pushImage({ content: this.#parts.content, repository, others: await this.#parts.images() }, image, reference, options);
      this.#parts.table.setRepoDigest(withDigest(reference, image.manifest.digest), image.id);
      return { name, manifest: image.manifest };
    });
  }

  async look(text: string, options: { readonly credentials?: Credentials; readonly signal?: AbortSignal }): Promise<RemoteImage> {
    const { client } = await this.#open();
    const { repository, descriptor, bytes } = await client.resolve(parseReference(text), options);
    using _ending = repository;
    const document = parseManifestOrIndex(bytes, descriptor.mediaType);
    if (document.kind === 'index') {
      return { descriptor, platforms: document.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform])) };
    }
    const config = parseImageConfig(await repository.document(document.config, MAX_CONFIG_BYTES, options.signal));
    const { os, architecture, variant } = config;
    return { descriptor, platforms: [{ os, architecture, ...(variant === undefined ? {} : { variant }) }] };
  }

  /** Tags of a name's repository, as the registry itself has them: mirrors know only what they were asked for. */
  async tags(text: string, { credentials, signal }: Pick<PullOptions, 'credentials' | 'signal'>): Promise<readonly string[]> {
    const { client } = await this.#open();
    using repository = await client.open(parseReference(text), 'pull', { credentials, signal });
    return repository.tags(signal);
  }

  /** @throws `permission-denied` / `E_REGISTRY_DENIED` when the registry does not want them */
  async logIn(domain: string, credentials: Credentials): Promise<void> {
    const { client } = await this.#open();
    using repository = await client.open({ domain, path: 'library/none' }, 'pull', { credentials });
    await repository.ping();
  }

  async #pull(reference: Reference, options: PullOptions): Promise<PullReport> {
    const { content, unpacker, lazy, lazyPulls, table, settled } = this.#parts;
    const platform = options.platform ?? this.#parts.platform;
    const parts = { ...(await this.#open()), content, unpacker, lazy, platform, settled: settled() };
    const { manifest, descriptor, target, warnings } = await pullImage(parts, reference, { lazy: lazyPulls, ...options });
    const id = manifest.config.digest;
    const name = reference.digest === undefined ? formatReference(reference) : undefined;
    const isNew = name === undefined ? table.find(id) === undefined : table.resolveName(name) !== id;
    failPoint('image.record');
    table.record([{ id, manifest: descriptor, names: name === undefined ? [] : [name] }], Date.now());
    failPoint('image.recorded');
    table.setRepoDigest(withDigest(reference, target.digest), id);
    failPoint('image.known');
    return { id, digest: target.digest, isNew, warnings, ...(name === undefined ? {} : { name }) };
  }

  #open() {
    this.#opened ??= import('@slipway/registry-client').then(({ RegistryClient, SharedFetches }) => ({
      client: new RegistryClient(this.#parts.settings),
      fetches: new SharedFetches(),
    }));
    return this.#opened;
  }
}

function withDigest({ domain, path }: Reference, digest: Digest): string {
  return formatReference({ domain, path, digest });
}

function notByDigest(text: string): EngineError {
  return new EngineError('invalid-argument', `${JSON.stringify(text.slice(0, 300))} names a digest, which nothing can be pushed to`, {
    code: 'E_REFERENCE_INVALID',
    op: 'image.push',
    subject: text.slice(0, 300),
  });
}

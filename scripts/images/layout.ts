/**
 * An OCI layout being written: blobs by digest, and the images that are made of them.
 *
 * Knows: configs, manifests and the index.
 * Does not know: what is in a layer.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type EntryInit, tarEnd, tarMember } from '@slipway/layers';
import { digestOf, hostPlatform, MediaTypes } from '@slipway/oci';

/** A member with its content. */
export type Member = readonly [entry: EntryInit, content?: Uint8Array | string];

/** A layer that is in the layout. */
export interface StoredLayer {
  readonly descriptor: StoredBlob;
  readonly diffId: string;
  readonly createdBy: string;
}

export interface StoredBlob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What a container of the image runs. */
export interface Execution {
  readonly Cmd: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
}

/** Times in the images: the same sources give the same digests, whenever and wherever they are made. */
const EPOCH = '2024-01-01T00:00:00Z';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class Layout {
  readonly #dir: string;
  readonly #manifests: object[] = [];

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(`${dir}/blobs/sha256`, { recursive: true });
    writeFileSync(`${dir}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  }

  put(mediaType: string, bytes: Uint8Array): StoredBlob {
    const digest = digestOf(bytes);
    writeFileSync(`${this.#dir}/blobs/sha256/${digest.slice('sha256:'.length)}`, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  /** A layer of these members, gzipped. */
  layer(createdBy: string, members: readonly Member[]): StoredLayer {
    const parts = members.map(([entry, content]) => tarMember({ mtime: Date.parse(EPOCH) / 1000, ...entry }, content));
    return this.layerOf(createdBy, Buffer.concat([...parts, tarEnd()]));
  }

  /** A layer of this tar, gzipped. */
  layerOf(createdBy: string, tar: Uint8Array): StoredLayer {
    const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    return { createdBy, diffId, descriptor: this.put(MediaTypes.ociLayerGzip, gzipSync(tar, { level: 6 })) };
  }

  /** An image of these layers under each of the names. */
  image(names: readonly string[], execution: Execution, layers: readonly StoredLayer[]): void {
    const config = this.put(
      MediaTypes.ociConfig,
      json({
        created: EPOCH,
        ...hostPlatform(process.arch),
        config: { WorkingDir: '/', ...execution, Env: [PATH, ...(execution.Env ?? [])] },
        rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
        history: [
          ...layers.map(({ createdBy }) => ({ created: EPOCH, created_by: createdBy })),
          { created: EPOCH, created_by: `CMD ${JSON.stringify(execution.Cmd)}`, empty_layer: true },
        ],
      }),
    );
    const manifest = { schemaVersion: 2, mediaType: MediaTypes.ociManifest, config, layers: layers.map(({ descriptor }) => descriptor) };
    this.name(names, this.put(MediaTypes.ociManifest, json(manifest)));
  }

  /** Names a manifest or index that is in the layout. */
  name(names: readonly string[], manifest: StoredBlob): void {
    // An index is for no platform, its manifests are.
    const platform = manifest.mediaType === MediaTypes.ociIndex ? {} : { platform: hostPlatform(process.arch) };
    for (const name of names) {
      const full = `docker.io/library/${name}`;
      const annotations = { 'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': name };
      this.#manifests.push({ ...manifest, ...platform, annotations });
    }
  }

  /** Nothing is an image before this. */
  finish(): void {
    writeFileSync(`${this.#dir}/index.json`, json({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: this.#manifests }));
  }
}

export function directory(name: string, mode = 0o755): Member {
  return [{ name: `${name}/`, type: 'directory', mode }];
}

export function file(name: string, content: Uint8Array | string, mode = 0o644): Member {
  return [{ name, type: 'file', mode }, content];
}

export function symlink(name: string, target: string): Member {
  return [{ name, type: 'symlink', linkName: target, mode: 0o777 }];
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

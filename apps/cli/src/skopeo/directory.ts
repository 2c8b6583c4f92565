/**
 * `dir:PATH`: an image as plain files.
 *
 *     manifest.json            the image's
 *     <hex>.manifest.json      those that its index names
 *     <hex>                    blobs
 *     version
 *
 * Knows: that layout.
 * Does not know: what is in a manifest but its type.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isObject, MediaTypes, splitDigest } from '@slipway/oci';
import { UsageError } from '../flags.ts';
import { fileBytes, keep } from './blobs.ts';
import type { ImageDestination, ImageSource, LayerForm } from './transport.ts';

const VERSION = 'Directory Transport Version: 1.1\n';

export function openDirectorySource(path: string): ImageSource {
  if (!existsSync(`${path}/manifest.json`)) throw new UsageError(`initializing source dir:${path}: no manifest.json there`);
  return {
    name: '',
    manifest: async (digest) => {
      const bytes = readFileSync(digest === undefined ? `${path}/manifest.json` : `${path}/${splitDigest(digest).hex}.manifest.json`);
      return { bytes, mediaType: mediaTypeOf(bytes) };
    },
    blob: async ({ digest }) => fileBytes(`${path}/${splitDigest(digest).hex}`),
    tags: async () => undefined,
    close: async () => undefined,
  };
}

/** Another image's directory is emptied; anything else that is not empty is left alone. */
export function openDirectoryDestination(path: string, layers: LayerForm): ImageDestination {
  mkdirSync(path, { recursive: true });
  const found = readdirSync(path);
  if (found.length > 0) {
    if (!existsSync(`${path}/version`) || !readFileSync(`${path}/version`, 'utf8').startsWith('Directory Transport'))
      throw new UsageError(`initializing destination dir:${path}: not a directory of an image, and not empty`);
    for (const name of found) rmSync(`${path}/${name}`, { recursive: true });
  }
  return {
    accepts: ['oci', 'docker'],
    layers,
    hasBlob: async ({ digest, size }) => statSync(`${path}/${splitDigest(digest).hex}`, { throwIfNoEntry: false })?.size === size,
    putBlob: async ({ digest }, bytes) => {
      const file = `${path}/${splitDigest(digest).hex}`;
      await keep(bytes, `${file}.partial`);
      renameSync(`${file}.partial`, file);
    },
    putManifest: async ({ bytes }, child) => {
      writeFileSync(`${path}/${child === undefined ? '' : `${splitDigest(child).hex}.`}manifest.json`, bytes);
    },
    commit: async () => writeFileSync(`${path}/version`, VERSION),
    close: async () => {
      for (const name of readdirSync(path)) if (name.endsWith('.partial')) rmSync(`${path}/${name}`);
    },
  };
}

/** What a manifest says of itself, or what its fields say. */
export function mediaTypeOf(bytes: Uint8Array): string {
  const document: unknown = JSON.parse(Buffer.from(bytes).toString());
  const own = isObject(document) ? document['mediaType'] : undefined;
  if (typeof own === 'string') return own;
  return isObject(document) && document['manifests'] !== undefined ? MediaTypes.ociIndex : MediaTypes.ociManifest;
}

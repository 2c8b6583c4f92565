/**
 * Manifests as far as a copy has to understand them: artifacts of types that no engine runs are copied, too.
 *
 * Knows: which blobs and manifests a document names.
 * Does not know: what they are for.
 */
import {
  type Descriptor,
  FieldReader,
  isObject,
  MAX_MANIFEST_BYTES,
  type Platform,
  parseJsonObject,
  platformMatches,
  readDescriptor,
} from '@slipway/oci';
import { UsageError } from '../flags.ts';
import type { ManifestBytes } from './transport.ts';

export interface ImageManifest {
  readonly config: Descriptor;
  /** Bottom layer first. */
  readonly layers: readonly Descriptor[];
  /** Members that are neither, such as annotations; a manifest in other words keeps them. */
  readonly others: Readonly<Record<string, unknown>>;
}

/** @throws UsageError for an index; `invalid-argument` / `E_DOCUMENT_INVALID` */
export function readImageManifest({ bytes }: ManifestBytes): ImageManifest {
  const { schemaVersion, mediaType: _, config, layers, manifests, ...others } = parseJsonObject('manifest', bytes, MAX_MANIFEST_BYTES);
  if (manifests !== undefined) throw new UsageError('an index within an index cannot be copied');
  if (schemaVersion !== 2) throw new UsageError('schema 1 is read no longer: have the image pushed again');
  const read = new FieldReader('manifest');
  const configDescriptor = readDescriptor(read, config, '/config');
  const list = (read.list(layers, '/layers', 4096) ?? []).map((layer, at) => readDescriptor(read, layer, `/layers/${at}`));
  read.finish();
  return { config: configDescriptor as Descriptor, layers: list.filter((layer) => layer !== undefined), others };
}

/** What an index names. */
export function readIndexManifests({ bytes }: ManifestBytes): readonly Descriptor[] {
  const { manifests } = parseJsonObject('index', bytes, MAX_MANIFEST_BYTES);
  const read = new FieldReader('index');
  const list = (read.list(manifests, '/manifests', 1024) ?? [])
    .filter(isObject)
    .map((entry, at) => readDescriptor(read, entry, `/manifests/${at}`));
  read.finish();
  return list.filter((entry) => entry !== undefined);
}

/** The one for a platform. @throws UsageError when there is none */
export function chooseManifest(index: ManifestBytes, platform: Platform): Descriptor {
  const chosen = readIndexManifests(index).find((entry) => entry.platform !== undefined && platformMatches(entry.platform, platform));
  if (chosen !== undefined) return chosen;
  const { architecture, variant = '', os } = platform;
  throw new UsageError(`no image found in manifest list for architecture ${architecture}, variant "${variant}", OS ${os}`);
}

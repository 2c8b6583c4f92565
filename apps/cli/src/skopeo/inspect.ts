/**
 * `skopeo inspect`: what an image says of itself.
 *
 * Knows: skopeo's words and their order.
 * Does not know: where the image is.
 */
import { type Descriptor, digestOf, isIndexType, isObject, MAX_CONFIG_BYTES } from '@slipway/oci';
import { renderTemplate } from '../docker/template.ts';
import { UsageError } from '../flags.ts';
import { readBlob } from './blobs.ts';
import { chooseManifest, readImageManifest } from './manifest.ts';
import type { ImageSource, Surroundings } from './transport.ts';

export interface InspectOptions {
  readonly raw: boolean;
  readonly config: boolean;
  readonly tags: boolean;
  /** A Go template. */
  readonly format?: string;
}

/** @returns what goes to the standard output */
export async function inspectImage(source: ImageSource, options: InspectOptions, { platform }: Surroundings): Promise<string | Uint8Array> {
  const top = await source.manifest();
  if (options.raw && !options.config) return top.bytes;
  const image = isIndexType(top.mediaType) ? await source.manifest(chooseManifest(top, platform).digest) : top;
  const manifest = readImageManifest(image);
  const bytes = await readBlob(await source.blob(manifest.config), manifest.config, MAX_CONFIG_BYTES);
  if (options.config && options.raw) return bytes;
  const config: unknown = JSON.parse(bytes.toString());
  if (!isObject(config)) throw new UsageError('the config is no JSON object');
  if (options.config) return print(config, options.format);
  const tags = options.tags ? await source.tags() : [];
  const name = source.name === '' ? {} : { Name: source.name };
  return print({ ...name, Digest: digestOf(top.bytes), RepoTags: tags ?? [], ...describe(config, manifest.layers) }, options.format);
}

function describe(config: Readonly<Record<string, unknown>>, layers: readonly Descriptor[]) {
  const execution = isObject(config['config']) ? config['config'] : {};
  return {
    Created: timeOf(config['created']),
    DockerVersion: config['docker_version'] ?? '',
    Labels: execution['Labels'] ?? null,
    Architecture: config['architecture'] ?? '',
    Os: config['os'] ?? '',
    Layers: layers.map(({ digest }) => digest),
    Env: execution['Env'] ?? null,
  };
}

/** As Go writes it: a fraction without zeros at its end. */
function timeOf(created: unknown): string | null {
  return typeof created === 'string'
    ? created.replace(/\.(\d*?)0*(?=[Z+-])/, (_, digits: string) => (digits === '' ? '' : `.${digits}`))
    : null;
}

function print(value: object, format: string | undefined): string {
  return format === undefined ? `${JSON.stringify(value, null, 4)}\n` : `${renderTemplate(format, { Name: '', ...value })}\n`;
}

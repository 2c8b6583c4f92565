/**
 * Descriptors: the links of which an image is made.
 *
 * Knows: their fields and limits.
 * Does not know: what they point at, or whether it is there.
 */
import { type Digest, isDigest } from './digest.ts';
import { type FieldReader, isObject } from './document.ts';
import type { Platform } from './platform.ts';

/** Names bytes and says how to read them. @spec image-spec/descriptor.md#properties */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes as stored. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** In an index: what the manifest is for. */
  readonly platform?: Platform;
}

/**
 * Reads one descriptor; what is wrong goes to `read`. `urls` are not kept: fetching layers from addresses that a document
 * names has leaked credentials before, so nothing here can follow them.
 */
export function readDescriptor(read: FieldReader, value: unknown, path: string): Descriptor | undefined {
  if (!isObject(value)) return void read.issue(path, 'must be a descriptor');
  const mediaType = read.text(value['mediaType'], `${path}/mediaType`, 255);
  const digest = read.text(value['digest'], `${path}/digest`, 200);
  const size = value['size'];
  if (mediaType === undefined) read.issue(`${path}/mediaType`, 'is missing');
  if (digest === undefined || !isDigest(digest)) return void read.issue(`${path}/digest`, 'must be a sha256 or sha512 digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    return void read.issue(`${path}/size`, 'must be a whole number of bytes, zero or more');
  }
  const annotations = read.textMap(value['annotations'], `${path}/annotations`, 256);
  const platform = readPlatform(read, value['platform'], `${path}/platform`);
  return {
    mediaType: mediaType ?? '',
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function readPlatform(read: FieldReader, value: unknown, path: string): Platform | undefined {
  const object = read.object(value, path);
  if (object === undefined) return undefined;
  const os = read.text(object['os'], `${path}/os`, 64) ?? '';
  const architecture = read.text(object['architecture'], `${path}/architecture`, 64) ?? '';
  const variant = read.text(object['variant'], `${path}/variant`, 64);
  return { os, architecture, ...(variant === undefined || variant === '' ? {} : { variant }) };
}

/**
 * A layer's index, out of a registry: the blob's tail, and nothing else of it.
 *
 * Knows: the footer, the index behind it, and the digest that the manifest vouches for it with.
 * Does not know: what is done with it.
 *
 * @spec containerd/stargz-snapshotter docs/estargz.md#footer
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { readTar } from '@slipway/layers';
import { type Descriptor, digestOf, isDigest, layerCompression } from '@slipway/oci';
import type { Repository } from '@slipway/registry-client';
import { FOOTER_BYTES, parseFooter } from './estargz/footer.ts';
import {
  badIndex,
  entryOfToc,
  MAX_TOC_BYTES,
  parseToc,
  TOC_DIGEST_ANNOTATION,
  TOC_NAME,
  type TocEntry,
  type TocMember,
} from './estargz/toc.ts';

export interface LayerIndex {
  readonly entries: readonly TocEntry[];
  readonly tocOffset: number;
  readonly tocDigest: string;
  readonly tocMember: TocMember;
  readonly tocBytes: Uint8Array;
}

/** Larger than the index of most layers: one request brings footer and index. */
const TAIL_BYTES = 128 * 1024;

const unpack = promisify<Uint8Array, { readonly maxOutputLength: number }, Buffer>(gunzip);

/** Whether a layer says that it has an index. */
export function hasIndex({ mediaType, annotations }: Descriptor): boolean {
  const compression = layerCompression(mediaType);
  return (compression === 'gzip' || compression === 'detect') && isDigest(annotations?.[TOC_DIGEST_ANNOTATION] ?? '');
}

/** @throws EngineError `invalid-argument` / `E_LAZY_INDEX` when it cannot be read lazily; as fetchRange when the registry fails */
export async function readLayerIndex(repository: Repository, descriptor: Descriptor, signal?: AbortSignal): Promise<LayerIndex> {
  const { size, annotations } = descriptor;
  const tocDigest = annotations?.[TOC_DIGEST_ANNOTATION] ?? '';
  const part = async (start: number, end: number) => {
    const bytes = await repository.fetchRange(descriptor, { start, end }, signal);
    if (bytes === undefined) throw badIndex('the registry does not send parts of blobs', descriptor.digest);
    return Buffer.from(bytes);
  };
  if (size <= FOOTER_BYTES) throw badIndex('the layer is too small to have one', descriptor.digest);
  const tailAt = Math.max(0, size - TAIL_BYTES);
  const tail = await part(tailAt, size);
  const tocOffset = parseFooter(tail.subarray(-FOOTER_BYTES));
  const end = size - FOOTER_BYTES;
  if (tocOffset === undefined || tocOffset < 1 || tocOffset >= end) throw badIndex('the layer has no footer', descriptor.digest);
  if (end - tocOffset > MAX_TOC_BYTES) throw badIndex('it is too large', descriptor.digest);
  const packed = tocOffset >= tailAt ? tail.subarray(tocOffset - tailAt, -FOOTER_BYTES) : await part(tocOffset, end);
  const { text, member } = await openMember(packed);
  if (digestOf(text) !== tocDigest) throw badIndex('its digest is not the one that the manifest names', descriptor.digest);
  const own = entryOfToc({ tocOffset, tocDigest, tocMember: member, tocBytes: text.byteLength, tocEnd: end });
  return { entries: [...parseToc(text, tocOffset), own], tocOffset, tocDigest, tocMember: member, tocBytes: text };
}

/** The index is a member of the layer's tar, the last one. */
async function openMember(packed: Uint8Array): Promise<{ readonly text: Buffer; readonly member: TocMember }> {
  const tar = await unpack(packed, { maxOutputLength: MAX_TOC_BYTES + 1024 * 1024 }).catch((cause: unknown) => {
    throw badIndex(`it cannot be decompressed: ${cause instanceof Error ? cause.message : String(cause)}`);
  });
  const whole = async function* () {
    yield tar;
  };
  for await (const { entry, content } of readTar(whole())) {
    if (entry.name !== TOC_NAME || entry.type !== 'file') break;
    const parts: Uint8Array[] = [];
    for await (const { bytes } of content) parts.push(bytes);
    const text = Buffer.concat(parts);
    const { mode, uid, gid, mtime } = entry;
    return { text, member: { skip: tar.indexOf(text), mode, uid, gid, mtime } };
  }
  throw badIndex('it is not where the footer says');
}

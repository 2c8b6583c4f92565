/**
 * Content addresses: what names bytes, and what names a stack of layers.
 *
 * Knows: the grammar of digests and the chain id formula.
 * Does not know: where the bytes are.
 */
import { createHash } from 'node:crypto';
import { EngineError } from '@slipway/errors';

declare const digestBrand: unique symbol;
declare const diffIdBrand: unique symbol;
declare const chainIdBrand: unique symbol;

/**
 * Address of a blob as stored: `<algorithm>:<lower-case hex>`.
 *
 * Branded, so that a tag or an unchecked string cannot be passed where bytes are going to be trusted or a path is going
 * to be built. Obtain one from {@link parseDigest} or {@link digestOf}.
 *
 * @spec image-spec/descriptor.md#digests
 */
export type Digest = string & { readonly [digestBrand]: true };

/** Digest of one *uncompressed* layer tar. @spec image-spec/config.md#layer-diffid */
export type DiffId = string & { readonly [diffIdBrand]: true };

/** Digest of a stack of layers, bottom to top; names the committed snapshot that holds it. @spec image-spec/config.md#layer-chainid */
export type ChainId = string & { readonly [chainIdBrand]: true };

/** Registered algorithms and the hex digits of their output. A Map, because an object would also answer for `constructor`. */
const HEX_DIGITS = new Map([
  ['sha256', 64],
  ['sha512', 128],
]);

/** True for text that {@link parseDigest} accepts. */
export function isDigest(text: string): text is Digest {
  const [, algorithm = '', hex = ''] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(text) ?? [];
  return hex.length > 0 && hex.length === HEX_DIGITS.get(algorithm);
}

/**
 * Checks the grammar of a digest; says nothing about whether the blob exists.
 *
 * @throws EngineError `invalid-argument` / `E_DIGEST_INVALID`
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new EngineError('invalid-argument', `${JSON.stringify(text.slice(0, 160))} is not a sha256 or sha512 digest`, {
    code: 'E_DIGEST_INVALID',
    op: 'digest.parse',
    subject: text.slice(0, 160),
  });
}

/** As {@link parseDigest}, for the digest of an uncompressed layer. */
export function parseDiffId(text: string): DiffId {
  return parseDigest(text) as string as DiffId;
}

/** The two halves of a digest: `sha256` and the hex digits. */
export function splitDigest(digest: Digest | DiffId | ChainId): { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.startsWith('sha512:') ? 'sha512' : 'sha256', hex: digest.slice(colon + 1) };
}

/** sha256 of `bytes`. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/**
 * Chain id of a stack given bottom layer first.
 *
 *     chain(L0)      = diff(L0)
 *     chain(L0..Ln)  = sha256(chain(L0..Ln-1) + ' ' + diff(Ln))
 *
 * @throws EngineError `invalid-argument` / `E_CHAIN_EMPTY` for no layers: an empty stack has no name
 */
export function chainId(diffIds: readonly DiffId[]): ChainId {
  const [bottom, ...rest] = diffIds;
  if (bottom === undefined) {
    throw new EngineError('invalid-argument', 'an empty stack of layers has no chain id', { code: 'E_CHAIN_EMPTY', op: 'digest.chain' });
  }
  return rest.reduce<string>((chain, diffId) => digestOf(`${chain} ${diffId}`), bottom) as ChainId;
}

/** Chain id of every prefix of the stack, bottom first; as many as there are layers. */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chains: ChainId[] = [];
  for (const diffId of diffIds) {
    const below = chains.at(-1);
    chains.push((below === undefined ? diffId : digestOf(`${below} ${diffId}`)) as string as ChainId);
  }
  return chains;
}

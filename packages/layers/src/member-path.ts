/**
 * From a member's name to a place below the root, or to a whiteout.
 *
 * Knows: which names are paths, which are whiteouts, and which are refused.
 * Does not know: what is on disk.
 */
import { EngineError } from '@slipway/errors';

/** Where a member belongs. Components are single names, none of them `.` or `..`. */
export type MemberPlace =
  | { readonly kind: 'root' }
  | { readonly kind: 'entry'; readonly parent: readonly string[]; readonly name: string }
  /** Hide `name` of the layers below. */
  | { readonly kind: 'whiteout'; readonly parent: readonly string[]; readonly name: string }
  /** Hide everything that the layers below have in `parent`. */
  | { readonly kind: 'opaque'; readonly parent: readonly string[] }
  /** Bookkeeping of an old union file system (`.wh..wh.plnk` …); never unpacked. */
  | { readonly kind: 'ignored' };

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const AUFS = '.wh..wh.';
/** Deeper trees exist only to exhaust whoever walks them. */
const MAX_DEPTH = 256;

/**
 * Places a member. A leading `/` is dropped, as every tar does; `..` anywhere is refused.
 *
 * @param isLayer false: an archive that is no layer, in which whiteouts are ordinary names
 * @throws EngineError `invalid-argument` / `E_LAYER_PATH`
 * @spec image-spec/layer.md#whiteouts
 */
export function placeMember(memberName: string, isLayer = true): MemberPlace {
  const components = splitMemberPath(memberName);
  const name = components.at(-1);
  if (name === undefined) return { kind: 'root' };
  const parent = components.slice(0, -1);
  if (!isLayer) return { kind: 'entry', parent, name };
  if (components.some((component) => component.startsWith(AUFS) && component !== OPAQUE)) return { kind: 'ignored' };
  if (parent.some((component) => component.startsWith(WHITEOUT))) throw badPath(memberName, 'it lies below a whiteout');
  if (name === OPAQUE) return { kind: 'opaque', parent };
  if (!name.startsWith(WHITEOUT)) return { kind: 'entry', parent, name };
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw badPath(memberName, 'a whiteout of nothing');
  return { kind: 'whiteout', parent, name: hidden };
}

/** The components of a member's or hard link's name. @throws EngineError `invalid-argument` / `E_LAYER_PATH` */
export function splitMemberPath(path: string): string[] {
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) throw badPath(path, 'it contains ".."');
  if (components.length > MAX_DEPTH) throw badPath(path, `it is deeper than ${MAX_DEPTH} directories`);
  if (components.some((component) => Buffer.byteLength(component) > 255)) throw badPath(path, 'a component is longer than 255 bytes');
  return components;
}

export function badPath(path: string, why: string): EngineError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new EngineError('invalid-argument', `layer member ${JSON.stringify(shown)} refused: ${why}`, {
    code: 'E_LAYER_PATH',
    op: 'layer.apply',
    subject: shown,
  });
}

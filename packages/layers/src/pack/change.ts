/**
 * What a layer says about the tree below it, one change after the other, in archive order.
 *
 * Knows: the four kinds.
 * Does not know: where changes come from (overlay-changes.ts, compare-trees.ts) or how they are written (members.ts).
 */
import type { WalkedEntry } from './walk.ts';

export type Change =
  | { readonly kind: 'entry'; readonly entry: WalkedEntry }
  /** `path` of the layers below is hidden. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** Everything that the layers below have in directory `path` is hidden. */
  | { readonly kind: 'opaque'; readonly path: string }
  /** Left out, and why. */
  | { readonly kind: 'left-out'; readonly path: string; readonly why: string };

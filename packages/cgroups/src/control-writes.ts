/**
 * What a plan is made of: writes to control files, as data.
 *
 * Knows: which field asked for a write, and how its arrival is checked.
 * Does not know: how limits become writes (plan.ts), nor how they are performed (apply-writes.ts).
 */

/** How the value read back is compared with the one written; absent where reading back tells nothing. */
export type ReadBack =
  | { readonly as: 'exact'; readonly text: string }
  /** Kernel rounds to pages; 'max' for unlimited. */
  | { readonly as: 'bytes'; readonly value: bigint | 'max' }
  /** Lists such as `0-3,7`, compared as sets. */
  | { readonly as: 'list'; readonly text: string };

/** One planned write. */
export interface CgroupWrite {
  readonly controller: string;
  /** Name of the hierarchy whose directory holds the file. */
  readonly hierarchy: string;
  readonly file: string;
  readonly value: string;
  /** JSON pointer of the field that asked for it. */
  readonly pointer: string;
  readonly readBack?: ReadBack;
}

/** What a v1 or v2 table yields before hierarchies are looked up. */
export type WantedWrite = Omit<CgroupWrite, 'hierarchy'>;

export interface CgroupPlan {
  /** In order; a later one may depend on an earlier one. */
  readonly writes: readonly CgroupWrite[];
  /** What was left out and why that is safe, a sentence each. */
  readonly warnings: readonly string[];
}

/** What the tables may answer for one resources object. */
export interface WantedPlan {
  readonly writes: readonly WantedWrite[];
  readonly warnings: readonly string[];
}

/**
 * What a plan is made of: writes to control files, as data.
 *
 * Knows: which field asked for a write, and how its arrival is checked.
 * Does not know: how limits become writes (plan.ts), nor how they are performed (apply-writes.ts).
 */

/** How the value read back is compared with the one written; absent where reading back tells nothing. */
export type ReadBack =
  | { readonly as: 'exact'; readonly text: string }
  /** The kernel rounds down to whole pages, of `pageBytes` each (4096 when absent); 'max' for unlimited. Only the first word counts. */
  | { readonly as: 'bytes'; readonly value: bigint | 'max'; readonly pageBytes?: bigint }
  /** Lists such as `0-3,7`, compared as sets. */
  | { readonly as: 'list'; readonly text: string }
  /** One line of several: the one that begins with the same word has to hold the others too. `8:0 rbps=1048576`, `eth0 5`. */
  | { readonly as: 'entry'; readonly text: string };

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
  /** What is asked for is what a kernel without the file does anyway. */
  readonly isDefault?: boolean;
  /** The same by another file, where the first does not exist. */
  readonly otherwise?: Pick<CgroupWrite, 'file' | 'value' | 'readBack'>;
  /** A file with the usage, in bytes, that a limit of `value` may not go below. */
  readonly notBelow?: string;
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

const BASE = '/linux/resources';

/** Makes the writes of one controller; `field` is the pointer below `/linux/resources`. */
export function writesOf(controller: string) {
  return {
    exact: (file: string, value: number | bigint | string, field: string): WantedWrite => {
      const text = String(value);
      return { controller, file, value: text, pointer: `${BASE}/${field}`, readBack: { as: 'exact', text } };
    },
    /** Negative is spelled as `unlimited`. */
    bytes: (file: string, value: number | bigint, field: string, unlimited: '-1' | 'max'): WantedWrite => {
      const text = value < 0 ? unlimited : String(value);
      return { controller, file, value: text, pointer: `${BASE}/${field}`, readBack: bytesBack(value) };
    },
    entry: (file: string, text: string, field: string): WantedWrite => {
      return { controller, file, value: text, pointer: `${BASE}/${field}`, readBack: { as: 'entry', text } };
    },
    list: (file: string, text: string, field: string): WantedWrite => {
      return { controller, file, value: text, pointer: `${BASE}/${field}`, readBack: { as: 'list', text } };
    },
  } as const;
}

/** How a limit in bytes is read back; negative means unlimited. */
export function bytesBack(value: number | bigint, pageBytes?: bigint): ReadBack {
  return { as: 'bytes', value: value < 0 ? 'max' : BigInt(value), ...(pageBytes === undefined ? {} : { pageBytes }) };
}

/**
 * What the pack worker is told and what it answers; both are one JSON document of ours.
 *
 * Knows: the fields, and which descriptor is which.
 * Does not know: how either side uses them.
 */
import type { ErrorKind } from '@slipway/errors';

/** How what is written is packed; `changes`: no archive but one line of JSON for each change. */
export type PackForm = 'none' | 'gzip' | 'zstd' | 'changes';

/** Which tree, and what of it. */
export type PackTree =
  /** Descriptor 3: overlay's upper directory; 4 …: the layers below, topmost first. */
  | {
      readonly kind: 'overlay';
      readonly lowerCount: number;
      readonly mountPoints: readonly string[];
      /** Take out of the upper directory what a runtime made for mounts, once it has been packed: the directory then is the layer. */
      readonly settle: boolean;
    }
  /** 3: the tree; 4: the tree it began as. */
  | { readonly kind: 'compare'; readonly mountPoints: readonly string[] }
  /** 3, or what is mounted at `mountedAt`: a whole tree, or what is at a path in it. */
  | { readonly kind: 'tree'; readonly mountedAt?: string; readonly part?: TreePart };

/** A path in a tree as a process with that root would resolve it. */
export interface TreePart {
  readonly path: string;
  /** Follow a symbolic link in the last component. Default: no. */
  readonly follow?: boolean;
  /** Only say what is there. */
  readonly statOnly?: boolean;
  /** Pack the directory's content, without the directory itself and its name. */
  readonly contentOnly?: boolean;
}

export interface PackTask {
  readonly tree: PackTree;
  readonly form: PackForm;
  readonly latestMtime?: number;
  /** Given to zlib; its default when absent. */
  readonly level?: number;
  readonly outputFd: number;
}

/** What stands at a part's path. */
export interface PartStat {
  /** Last component as asked for. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly sizeBytes: number;
  /** st_mode, with the type bits. */
  readonly mode: number;
  readonly mtimeMs: number;
  /** Of a symbolic link: the path it leads to inside the root; empty otherwise. */
  readonly linkTarget: string;
}

export interface PackReport {
  readonly members: number;
  /** Bytes of regular files, holes included. */
  readonly fileBytes: number;
  /** Bytes of the archive before compression. */
  readonly tarBytes: number;
  readonly diffId: string;
  readonly blobBytes: number;
  readonly blobDigest: string;
  readonly warnings: readonly string[];
}

export type PackAnswer =
  | { readonly ok: true; readonly stat: PartStat }
  | { readonly ok: true; readonly report: PackReport }
  | { readonly ok: false; readonly kind: ErrorKind; readonly code: `E_${string}`; readonly message: string; readonly subject?: string };

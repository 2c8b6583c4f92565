/**
 * What the unpack worker is told and what it answers; both are one JSON document of ours.
 *
 * Knows: the fields.
 * Does not know: how either side uses them.
 */
import type { ErrorKind } from '@slipway/errors';
import type { LayerCompression } from '@slipway/oci';
import type { ApplyReport } from './apply.ts';
import type { DecompressLimits } from './decompress.ts';
import type { TarLimits } from './tar/entry.ts';
import type { WhiteoutForm } from './whiteouts.ts';

/** Of a worker for one layer alone: the blob, then the target, then the layers below. */
export const FIRST_FD = 3;

/** How the bytes of a blob are read. */
export interface LayerBlob {
  readonly compression: LayerCompression;
  /** Checked when given. */
  readonly blobDigest?: string;
  readonly decompressLimits: DecompressLimits;
}

export interface WorkerTask extends LayerBlob {
  readonly blobBytes: number;
  readonly diffId?: string;
  readonly lowerCount: number;
  readonly whiteouts: WhiteoutForm;
  readonly keepKinds: boolean;
  /** What is mounted for the worker, and is the target instead of descriptor 4. */
  readonly mountedAt?: string;
  /** A path in the target as a process with that root would resolve it: the directory to fill. */
  readonly at?: string;
  readonly tarLimits: Partial<TarLimits>;
  /** The blob that the next task is likely to be about; it is behind the layers below. Only for a worker that gets several tasks. */
  readonly next?: LayerBlob;
}

export type WorkerAnswer =
  | { readonly ok: true; readonly report: ApplyReport & { readonly tarBytes: number; readonly diffId: string } }
  | { readonly ok: false; readonly kind: ErrorKind; readonly code: `E_${string}`; readonly message: string; readonly subject?: string };

/** What a check of a store finds: the words of its report. */

/**
 * Something that must not be, and that no start of the engine mends by itself.
 *
 * - `record-damaged`: SQLite finds its own file wrong
 * - `blob-corrupt`: the bytes are no longer those of the digest
 * - `blob-missing`, `blob-size`: an image or a kept build step names a blob that is not here, or is as long as nobody said
 * - `document-invalid`: an image's manifest or config cannot be read, or they contradict each other
 * - `snapshot-missing`: a layer of an image is not unpacked
 * - `snapshot-parent`: a snapshot stands on none, on one that is not committed, or a layer on another than the image says
 * - `snapshot-directory`: a snapshot without its files
 * - `layer-size`: how large an image's layer is was not written down
 */
export type StoreFaultCode =
  | 'record-damaged'
  | 'blob-corrupt'
  | 'blob-missing'
  | 'blob-size'
  | 'document-invalid'
  | 'snapshot-missing'
  | 'snapshot-parent'
  | 'snapshot-directory'
  | 'layer-size';

/**
 * Something that is left over: of work that is going on, or of work that was ended. The engine's next start or collection removes it.
 *
 * - `blob-unneeded`, `snapshot-unneeded`, `size-unneeded`: no image reaches it
 * - `snapshot-unpacking`: a layer that was being unpacked
 * - `ingest`: a blob that was being written; the next pull goes on with one that has a name
 * - `directory-unknown`, `file-unknown`: nothing speaks of it; a file among the blobs stays until somebody removes it
 */
export type StoreLeftoverCode =
  | 'blob-unneeded'
  | 'snapshot-unneeded'
  | 'size-unneeded'
  | 'snapshot-unpacking'
  | 'ingest'
  | 'directory-unknown'
  | 'file-unknown';

export interface StoreFinding<Code extends string> {
  readonly code: Code;
  /** Digest, name of an image or a snapshot, or path below the root. */
  readonly subject: string;
  /** One sentence without a full stop. */
  readonly message: string;
}

export interface StoreReport {
  /** What was looked at. */
  readonly counted: {
    readonly images: number;
    readonly names: number;
    readonly blobs: number;
    readonly blobBytes: number;
    /** By kind: layers; containers' root file systems and half-unpacked layers; what is looked into. */
    readonly snapshots: { readonly committed: number; readonly active: number; readonly view: number };
    readonly ingests: number;
    readonly buildSteps: number;
  };
  readonly faults: readonly StoreFinding<StoreFaultCode>[];
  readonly leftovers: readonly StoreFinding<StoreLeftoverCode>[];
}

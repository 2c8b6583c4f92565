/**
 * One name in the directory of one layer, as it lies on the disk.
 *
 * Knows: overlay's marks, told as words.
 * Does not know: what is above or below it.
 */
export type ScannedKind = 'file' | 'directory' | 'symlink' | 'device' | 'whiteout';

export interface ScannedLayerEntry {
  /** 0 is the lowest. */
  readonly layer: number;
  /** From the layer's root, `etc/motd`. */
  readonly path: string;
  readonly kind: ScannedKind;
  /** Of a regular file; else 0. */
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The same for all names of one file in one layer; absent for a file with one name. */
  readonly inode?: string;
  /** Of a symbolic link, as written. */
  readonly target?: string;
  /** A directory that hides everything below it in lower layers. */
  readonly opaque?: boolean;
}

/** What a worker is asked: layers are its descriptors 3, 4, …, the lowest first. */
export interface ScanTask {
  readonly layers: number;
  readonly maxEntries: number;
}

/**
 * What a tar archive says about its members, and how much of it is believed.
 *
 * Knows: the kinds of members and the limits.
 * Does not know: bytes on the tape (header.ts, pax.ts) or the file system.
 */
import { EngineError } from '@slipway/errors';

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** One member's metadata, extensions already applied. */
export interface TarEntry {
  /** As written, e.g. `./usr/bin/`; UTF-8, without NUL. Not yet trusted as a path. */
  readonly name: string;
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky: 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, with a fraction; may be negative. */
  readonly mtime: number;
  /** Bytes of the file once unpacked; 0 for everything but files. */
  readonly sizeBytes: number;
  /** Target of a symbolic link as written, or name of the member a hard link joins; empty otherwise. */
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes; values are bytes, since file capabilities are. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** A piece of a file's content; gaps between pieces are holes. */
export interface Extent {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A member together with its content, which must be read (or skipped by asking for the next member) in order. */
export interface TarMember {
  readonly entry: TarEntry;
  readonly content: AsyncIterable<Extent>;
}

/** What a reader puts up with. Everything beyond is refused as `invalid-argument` / `E_TAR_LIMIT`. */
export interface TarLimits {
  readonly maxEntries: number;
  /** Bytes of extended headers (pax records, long names, sparse maps) before one member. */
  readonly maxHeaderBytes: number;
  /** Bytes of one name or link target; the kernel takes 4095. */
  readonly maxNameBytes: number;
  readonly maxSparseExtents: number;
  /** Size of one file once unpacked, holes included. */
  readonly maxFileBytes: number;
  /** Bytes on the tape altogether. */
  readonly maxTotalBytes: number;
}

const GIB = 1024 ** 3;

export const DEFAULT_TAR_LIMITS: TarLimits = {
  maxEntries: 1_000_000,
  maxHeaderBytes: 1024 ** 2,
  maxNameBytes: 4095,
  maxSparseExtents: 65_536,
  maxFileBytes: 32 * GIB,
  maxTotalBytes: 32 * GIB,
};

/** A tape that contradicts itself or the format. */
export function malformed(message: string, subject = ''): EngineError {
  return new EngineError('invalid-argument', `not a well-formed tar archive: ${message}`, {
    code: 'E_TAR_MALFORMED',
    op: 'tar.read',
    subject,
  });
}

/** A tape that asks for more than the limits allow. */
export function beyondLimit(message: string, subject = ''): EngineError {
  return new EngineError('invalid-argument', `tar archive refused: ${message}`, { code: 'E_TAR_LIMIT', op: 'tar.read', subject });
}

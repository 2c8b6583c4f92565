/**
 * Files and directories that a build makes up: here-documents, working directories.
 *
 * Knows: their plain rights.
 * Does not know: what is in them.
 */
import { createHash } from 'node:crypto';
import type { CopyMember, Owner } from './copy.ts';

const PLAIN = { linkName: '', deviceMajor: 0, deviceMinor: 0, xattrs: new Map<string, Uint8Array>() };

export interface MadeFile {
  readonly path: string;
  readonly text: string;
  readonly owner: Owner;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

export function madeFile({ path, text, owner, mode, mtime }: MadeFile): CopyMember {
  const bytes = Buffer.from(text);
  const entry = { ...PLAIN, ...owner, name: path, type: 'file', mode, mtime, sizeBytes: bytes.byteLength } as const;
  const content = async function* () {
    yield bytes;
  };
  return { path, node: { entry, offset: 0, digest: createHash('sha256').update(bytes).digest('hex'), file: {} }, content };
}

export function madeDirectory(path: string, mtime: number): CopyMember {
  const entry = { ...PLAIN, uid: 0, gid: 0, name: path, type: 'directory', mode: 0o755, mtime, sizeBytes: 0 } as const;
  return {
    path,
    node: { entry, offset: 0, digest: '', file: {} },
    content: async function* () {},
  };
}

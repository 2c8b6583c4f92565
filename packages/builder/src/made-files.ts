/**
 * Files and directories that a build makes up: here-documents, working directories.
 *
 * Knows: their plain rights.
 * Does not know: what is in them.
 */
import { createHash } from 'node:crypto';
import { type CopyMember, type Owner, ROOT } from './copy.ts';
import type { DirectoryRights } from './layer-lookup.ts';

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

/** One of root's, unless `rights` say otherwise. */
export function madeDirectory(path: string, rights: Partial<DirectoryRights> & Pick<MadeFile, 'mtime'>): CopyMember {
  const entry = { ...PLAIN, ...ROOT, name: path, type: 'directory', mode: 0o755, sizeBytes: 0, ...rights } as const;
  return {
    path,
    node: { entry, offset: 0, digest: '', file: {} },
    content: async function* () {},
  };
}

/** The directories above a path that has no leading slash, topmost first. */
export function ancestors(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

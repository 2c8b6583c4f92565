/**
 * The words of a mount's `options`, sorted into what the kernel takes separately.
 *
 * Knows: which word is an attribute of the mount, a propagation type, a kind of mount, a flag of the file system, or data for it.
 * Does not know: how a mount is made, nor which combination a file system accepts.
 *
 * @spec runtime-spec/config.md#mounts
 */

export type MountPropagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave' | 'unbindable' | 'runbindable';

/** Attributes of one mount. Absent: leave the kernel's default; false: the document asked to have it cleared. */
export interface MountOptionAttributes {
  readonly readOnly?: boolean;
  readonly noSuid?: boolean;
  readonly noDev?: boolean;
  readonly noExec?: boolean;
  readonly noSymFollow?: boolean;
  readonly noDirAtime?: boolean;
  readonly atime?: 'relatime' | 'noatime' | 'strictatime';
}

export interface ParsedMountOptions {
  /** Of the mount itself. */
  readonly attributes: MountOptionAttributes;
  /** Of the mount and everything mounted below it (`rro`, `rnosuid` …); empty when none was asked for. */
  readonly recursiveAttributes: MountOptionAttributes;
  readonly bind?: 'bind' | 'rbind';
  readonly propagation?: MountPropagation;
  /** Ask for an id-mapped mount; `ridmap` includes submounts. */
  readonly idmap?: 'idmap' | 'ridmap';
  readonly remount: boolean;
  /** tmpfs only: start with a copy of what the image has at the destination. */
  readonly copyUp: boolean;
  /** Flags of the file system, not of the mount: `sync dirsync lazytime mand silent iversion`, as fsconfig(2) spells them. */
  readonly superblock: readonly string[];
  /** Everything else, in order, for the file system itself: `size=64m`, `mode=755`. */
  readonly data: readonly string[];
}

type Setting = { -readonly [K in keyof MountOptionAttributes]: MountOptionAttributes[K] };

/** Each also exists with an `r` before it, for the whole subtree. */
const ATTRIBUTES: Readonly<Record<string, MountOptionAttributes>> = {
  ro: { readOnly: true },
  rw: { readOnly: false },
  suid: { noSuid: false },
  nosuid: { noSuid: true },
  dev: { noDev: false },
  nodev: { noDev: true },
  exec: { noExec: false },
  noexec: { noExec: true },
  symfollow: { noSymFollow: false },
  nosymfollow: { noSymFollow: true },
  diratime: { noDirAtime: false },
  nodiratime: { noDirAtime: true },
  relatime: { atime: 'relatime' },
  norelatime: { atime: 'strictatime' },
  noatime: { atime: 'noatime' },
  atime: { atime: 'relatime' },
  strictatime: { atime: 'strictatime' },
  nostrictatime: { atime: 'relatime' },
};

const PROPAGATION: ReadonlySet<string> = new Set([
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
  'unbindable',
  'runbindable',
]);
const SUPERBLOCK: ReadonlySet<string> = new Set(['sync', 'dirsync', 'lazytime', 'mand', 'silent', 'iversion']);
/** Word that takes back another; the defaults, so without the other they say nothing. */
const CLEARS: Readonly<Record<string, string>> = {
  async: 'sync',
  nolazytime: 'lazytime',
  nomand: 'mand',
  loud: 'silent',
  noiversion: 'iversion',
};

/** Sorts the words; the last of two that contradict each other wins, as with mount(8). Never throws: unknown words are data. */
export function parseMountOptions(options: readonly string[] = []): ParsedMountOptions {
  const attributes: Setting = {};
  const recursiveAttributes: Setting = {};
  const superblock = new Set<string>();
  const kinds: Pick<{ -readonly [K in keyof ParsedMountOptions]: ParsedMountOptions[K] }, 'bind' | 'propagation' | 'idmap'> = {};
  let remount = false;
  let copyUp = false;
  const data: string[] = [];
  for (const word of options) {
    if (word === 'bind' || word === 'rbind') kinds.bind = word;
    else if (word === 'idmap' || word === 'ridmap') kinds.idmap = word;
    else if (word === 'remount') remount = true;
    else if (word === 'tmpcopyup') copyUp = true;
    else if (word === 'defaults' || word === '') continue;
    else if (isPropagation(word)) kinds.propagation = word;
    else if (SUPERBLOCK.has(word)) superblock.add(word);
    else if (Object.hasOwn(CLEARS, word)) superblock.delete(CLEARS[word] ?? '');
    else if (Object.hasOwn(ATTRIBUTES, word)) Object.assign(attributes, ATTRIBUTES[word]);
    else if (word.startsWith('r') && Object.hasOwn(ATTRIBUTES, word.slice(1)))
      Object.assign(recursiveAttributes, ATTRIBUTES[word.slice(1)]);
    else data.push(word);
  }
  return { attributes, recursiveAttributes, ...kinds, remount, copyUp, superblock: [...superblock], data };
}

/** Whether a word is one of the eight propagation types. */
export function isPropagation(word: string): word is MountPropagation {
  return PROPAGATION.has(word);
}

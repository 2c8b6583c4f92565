/**
 * Applying a layer: members of an archive become files below one directory, which cannot be left.
 *
 * Knows: what each kind of member becomes, and in which order metadata has to be set.
 * Does not know: compression or digests (unpack-worker.ts), nor who called.
 *
 * @spec image-spec/layer.md#applying-changesets
 */
import { EngineError } from '@slipway/errors';
import { type ConfinedDirectory, confinedFile, type EntryStat, isErrno, setXattrAt } from '@slipway/kernel/worker';
import { LayerStack, type Place } from './layer-stack.ts';
import { badPath, placeMember, splitMemberPath } from './member-path.ts';
import { beyondLimit, type TarEntry, type TarMember } from './tar/entry.ts';
import { type WhiteoutForm, WhiteoutNode, Whiteouts } from './whiteouts.ts';

/** Where a layer goes. */
export interface LayerTarget {
  readonly root: ConfinedDirectory;
  /** Directories of the layers below, topmost first; empty when `root` holds their files itself. */
  readonly lowers: readonly ConfinedDirectory[];
  readonly whiteouts: WhiteoutForm;
  /** Refuse to put a directory in the place of something else, and the other way round. Default: replace it. */
  readonly keepKinds?: boolean;
  /** Of layers that are applied one after the other; stays the caller's. Default: one of this layer's own. */
  readonly whiteoutNode?: WhiteoutNode;
}

export interface ApplyReport {
  readonly members: number;
  /** Bytes of regular files, holes included. */
  readonly fileBytes: number;
  /** What could not be kept as the archive says, in sentences; at most 100. */
  readonly warnings: readonly string[];
}

/** Each node costs a process; real layers hold a handful. */
const MAX_NODES = 4096;
const OVERLAY_XATTR = /^(trusted|user)\.overlay\./;

/** @throws EngineError `invalid-argument` / `E_LAYER_PATH`, `E_TAR_…`; errno errors of the kernel. What was written so far stays. */
export async function applyMembers(members: AsyncIterable<TarMember>, target: LayerTarget): Promise<ApplyReport> {
  using own = new WhiteoutNode();
  const applier = new Applier(target, target.whiteoutNode ?? own);
  for await (const member of members) await applier.apply(member);
  return applier.finish();
}

class Applier {
  readonly #target: LayerTarget;
  readonly #stack: LayerStack;
  readonly #whiteouts: Whiteouts;
  /** Real path → mtime. Set last, because every file made in a directory changes its time. */
  readonly #directoryTimes = new Map<string, number>();
  readonly #warnings = new Set<string>();
  #members = 0;
  #fileBytes = 0;
  #nodes = 0;

  constructor(target: LayerTarget, whiteoutNode: WhiteoutNode) {
    this.#target = target;
    this.#whiteouts = new Whiteouts(target.whiteouts, whiteoutNode);
    this.#stack = new LayerStack(target.root, target.lowers, {
      isHidden: (path) => this.#whiteouts.isHidden(path),
      isStale: (path) => this.#whiteouts.isStale(path),
      onImplicit: (place, lower) => this.#adopt(place, lower),
    });
  }

  async apply({ entry, content }: TarMember): Promise<void> {
    this.#members++;
    const place = placeMember(entry.name, this.#target.whiteouts !== 'literal');
    if (place.kind === 'ignored') return;
    if (place.kind === 'root') return this.#applyRoot(entry);
    const parent = this.#stack.enterNext(place.parent);
    if (place.kind === 'entry') return this.#applyEntry(parent, place.name, { entry, content });
    if (entry.type !== 'file' && entry.type !== 'hardlink') throw badPath(entry.name, `a whiteout that is a ${entry.type}`);
    if (place.kind === 'opaque') this.#whiteouts.hideAllIn(parent.path);
    else this.#whiteouts.hide(join(parent.path, place.name));
  }

  finish(): ApplyReport {
    this.#stack.release();
    this.#whiteouts.perform(this.#stack);
    this.#stack.visit(this.#directoryTimes.keys(), (directory, path) => {
      const mtime = this.#directoryTimes.get(path) ?? 0;
      directory.setSelf({ times: { atime: mtime, mtime } });
    });
    return { members: this.#members, fileBytes: this.#fileBytes, warnings: [...this.#warnings] };
  }

  #applyRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') throw badPath(entry.name, `the root is a ${entry.type}`);
    const { directory } = this.#stack.enterNext([]);
    directory.setSelf({ mode: entry.mode, uid: entry.uid, gid: entry.gid });
    this.#directoryTimes.set('', entry.mtime);
  }

  async #applyEntry(parent: Place, name: string, member: TarMember): Promise<void> {
    const { entry } = member;
    if (this.#target.keepKinds) requireSameKind(parent.directory.stat(name), entry);
    if (entry.type === 'directory') this.#applyDirectory(parent, name, entry);
    else if (entry.type === 'hardlink') this.#applyHardLink(parent, name, entry);
    else if (entry.type === 'file') await this.#applyFile(parent.directory, name, member);
    else if (!this.#applySpecial(parent.directory, name, entry)) return;
    this.#whiteouts.wrote(join(parent.path, name));
    if (entry.type !== 'hardlink') this.#applyXattrs(parent.directory, name, entry);
  }

  #applyDirectory(parent: Place, name: string, entry: TarEntry): void {
    const existing = parent.directory.stat(name);
    if (existing !== undefined && !existing.isDirectory()) parent.directory.remove(name);
    const directory = existing?.isDirectory() ? parent.directory.child(name) : parent.directory.makeDirectory(name, entry.mode);
    directory.setSelf({ mode: entry.mode, uid: entry.uid, gid: entry.gid });
    directory.close();
    this.#directoryTimes.set(join(parent.path, name), entry.mtime);
  }

  async #applyFile(directory: ConfinedDirectory, name: string, { entry, content }: TarMember): Promise<void> {
    const fd = createInPlace(directory, name);
    try {
      let end = 0;
      for await (const { offset, bytes } of content) {
        confinedFile.write(fd, bytes, offset);
        end = offset + bytes.byteLength;
      }
      if (end !== entry.sizeBytes) confinedFile.truncate(fd, entry.sizeBytes);
      confinedFile.finish(fd, { mode: entry.mode, uid: entry.uid, gid: entry.gid, times: { atime: entry.mtime, mtime: entry.mtime } });
    } finally {
      confinedFile.close(fd);
    }
    this.#fileBytes += entry.sizeBytes;
  }

  #applyHardLink(parent: Place, name: string, entry: TarEntry): void {
    const components = splitMemberPath(entry.linkName);
    const existing = components.pop();
    if (existing === undefined) throw badPath(entry.name, 'a hard link to the root');
    const target = this.#stack.enter(components);
    try {
      const info = target.directory.stat(existing) ?? this.#copyUp(target, existing);
      if (info === undefined) throw badPath(entry.name, `a hard link to ${JSON.stringify(entry.linkName)}, which is not there`);
      if (info.isDirectory()) throw badPath(entry.name, 'a hard link to a directory');
      const current = parent.directory.stat(name);
      // Joining a name to itself changes nothing; removing it first would lose the file.
      if (current !== undefined && current.ino === info.ino && current.dev === info.dev) return;
      parent.directory.remove(name);
      parent.directory.hardLink(name, target.directory, existing);
    } finally {
      target.directory.close();
    }
  }

  /** A hard link to a file that only a lower layer has: the file comes up first, as overlay itself would do it. */
  #copyUp(target: Place, name: string): EntryStat | undefined {
    if (this.#whiteouts.isHidden(join(target.path, name))) return undefined;
    const lower = this.#stack.lowerStat(target.path, name);
    if (lower === undefined) return undefined;
    if (!lower.isFile()) throw badPath(join(target.path, name), 'a hard link to something below that is not a file');
    this.#stack.withLower(target.path, name, (from) => confinedFile.copy(from, name, target.directory));
    return target.directory.stat(name);
  }

  /** A symbolic link, device or fifo. False when it was left out. */
  #applySpecial(directory: ConfinedDirectory, name: string, entry: TarEntry): boolean {
    if (entry.type === 'char' && entry.deviceMajor === 0 && entry.deviceMinor === 0) {
      // As a node it would be a whiteout that no other reader of the archive sees.
      this.#warn(`${entry.name}: device 0:0 left out`);
      return false;
    }
    directory.remove(name);
    if (entry.type === 'symlink') directory.symlink(name, requireTarget(entry));
    else if (!this.#makeNode(directory, name, entry)) return false;
    directory.setOwner(name, entry.uid, entry.gid);
    directory.setTimes(name, { atime: entry.mtime, mtime: entry.mtime });
    return true;
  }

  /** False when the kernel does not let us make such a node. */
  #makeNode(directory: ConfinedDirectory, name: string, entry: TarEntry): boolean {
    if (++this.#nodes > MAX_NODES) throw beyondLimit(`more than ${MAX_NODES} device nodes and fifos`, entry.name);
    const { mode, deviceMajor: major, deviceMinor: minor } = entry;
    try {
      const type = entry.type === 'block' ? 'block' : 'char';
      directory.makeNode(name, entry.type === 'fifo' ? { type: 'fifo', mode } : { type, major, minor, mode });
      return true;
    } catch (error) {
      if (!isErrno(error, 'EPERM')) throw error;
      this.#warn(`${entry.name}: device ${major}:${minor} left out, making one is not permitted here`);
      return false;
    }
  }

  #applyXattrs(directory: ConfinedDirectory, name: string, entry: TarEntry): void {
    for (const [key, value] of entry.xattrs) {
      if (OVERLAY_XATTR.test(key)) this.#warn(`${entry.name}: attribute ${key} left out, it would steer overlay`);
      else if (!setXattrAt(directory.fd, name, { key, value })) this.#warn(`${entry.name}: attribute ${key} could not be set`);
    }
  }

  /** A parent directory that the archive does not mention: as the layers below have it. */
  #adopt({ directory, path }: Place, lower: EntryStat | undefined): void {
    if (lower === undefined) return;
    const mtime = Number(lower.mtimeMs) / 1000;
    directory.setSelf({ mode: Number(lower.mode), uid: Number(lower.uid), gid: Number(lower.gid) });
    this.#directoryTimes.set(path, mtime);
  }

  #warn(message: string): void {
    if (this.#warnings.size < 100) this.#warnings.add(message.length > 300 ? `${message.slice(0, 300)}…` : message);
  }
}

/** A new file; what had its name is gone. Most names are new, so that is asked last. */
function createInPlace(directory: ConfinedDirectory, name: string): number {
  try {
    return directory.createFile(name);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    directory.remove(name);
    return directory.createFile(name);
  }
}

function requireSameKind(existing: EntryStat | undefined, entry: TarEntry): void {
  if (existing === undefined || existing.isDirectory() === (entry.type === 'directory')) return;
  const [a, b] = existing.isDirectory() ? ['directory', 'non-directory'] : ['non-directory', 'directory'];
  throw new EngineError('invalid-argument', `cannot overwrite ${a} with ${b}: ${entry.name.slice(0, 200)}`, {
    code: 'E_LAYER_KIND',
    op: 'layer.apply',
    subject: entry.name.slice(0, 200),
  });
}

function requireTarget(entry: TarEntry): string {
  if (entry.linkName === '') throw badPath(entry.name, 'a symbolic link to nothing');
  return entry.linkName;
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

/**
 * What a path means while a layer is being applied: the layer's own directory, and the layers below it.
 *
 * A plain directory has nothing below it. For overlay, the tree that the archive's author saw is the merged one, so a
 * parent directory may be missing here and be a directory, or a symbolic link, further down.
 *
 * Knows: looking names up through the stack, and making parents that only lower layers have.
 * Does not know: archives; whiteouts only as names to skip.
 */
import type { ConfinedDirectory, EntryStat } from '@slipway/kernel/worker';
import { badPath } from './member-path.ts';

/** A real directory of the layer: reached without any symbolic link. */
export interface Place {
  readonly directory: ConfinedDirectory;
  /** Its components below the root, links resolved; joined with `/`. */
  readonly path: string;
}

const MAX_LINKS = 40;

export class LayerStack {
  readonly #root: ConfinedDirectory;
  /** Topmost first. */
  readonly #lowers: readonly ConfinedDirectory[];
  /** Asked before a name of the layers below is believed. */
  readonly #isHidden: (path: string) => boolean;
  readonly #isStale: (path: string) => boolean;
  readonly #onImplicit: (place: Place, lower: EntryStat | undefined) => void;
  /** The directories of the last member's parent, by the names it gave them; no link among them. */
  readonly #trail: { readonly name: string; readonly place: Place }[] = [];
  /** Where the last member's parent is, if a link led there. */
  #beside: Place | undefined;

  constructor(
    root: ConfinedDirectory,
    lowers: readonly ConfinedDirectory[],
    hooks: {
      isHidden(path: string): boolean;
      isStale(path: string): boolean;
      onImplicit(place: Place, lower: EntryStat | undefined): void;
    },
  ) {
    this.#root = root;
    this.#lowers = lowers;
    this.#isHidden = (path) => hooks.isHidden(path);
    this.#isStale = (path) => hooks.isStale(path);
    this.#onImplicit = (place, lower) => hooks.onImplicit(place, lower);
  }

  /**
   * Opens the directory that `components` name, as a process with this root would reach it: links are followed, and cannot
   * lead out of the root. Missing directories are made with what the layers below say about them, else 0755 of root.
   * The caller closes the result.
   */
  enter(components: readonly string[]): Place {
    const stack: Place[] = [{ directory: this.#root, path: '' }];
    const pending = [...components];
    let links = 0;
    try {
      for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
        if (name === '..') {
          if (stack.length > 1) stack.pop()?.directory.close();
          continue;
        }
        const step = this.#step(stack.at(-1) ?? this.#rootPlace(), name);
        if (typeof step !== 'string') {
          stack.push(step);
          continue;
        }
        if (++links > MAX_LINKS) throw badPath(components.join('/'), 'too many symbolic links');
        if (step.startsWith('/')) for (const place of stack.splice(1)) place.directory.close();
        pending.unshift(...step.split('/').filter((part) => part !== '' && part !== '.'));
        if (pending.length > 4096) throw badPath(components.join('/'), 'too many symbolic links');
      }
      const last = stack.pop() ?? this.#rootPlace();
      return last.directory === this.#root ? { directory: this.#reopenRoot(), path: '' } : last;
    } finally {
      for (const { directory } of stack) if (directory !== this.#root) directory.close();
    }
  }

  /**
   * As {@link enter}, for one member after the other: what two of them have in common is opened once. The result stays the stack's,
   * until the next call or {@link release}; it holds only directories above what may be replaced meanwhile.
   */
  enterNext(components: readonly string[]): Place {
    this.#beside?.directory.close();
    this.#beside = undefined;
    let common = 0;
    while (common < this.#trail.length && this.#trail[common]?.name === components[common]) common++;
    for (const { place } of this.#trail.splice(common)) place.directory.close();
    let at = this.#trail.at(-1)?.place ?? this.#rootPlace();
    for (const name of components.slice(common)) {
      const step = this.#step(at, name);
      if (typeof step === 'string') {
        this.#beside = this.enter(components);
        return this.#beside;
      }
      this.#trail.push({ name, place: step });
      at = step;
    }
    return at;
  }

  /** Closes what {@link enterNext} has open. */
  release(): void {
    this.enterNext([]);
  }

  /** Opens directories of this layer by their real paths, in turn; those that are no more are passed over. */
  visit(paths: Iterable<string>, use: (directory: ConfinedDirectory, path: string) => void): void {
    const trail: { readonly name: string; readonly directory: ConfinedDirectory }[] = [];
    try {
      for (const path of paths) {
        const components = path === '' ? [] : path.split('/');
        let common = 0;
        while (common < trail.length && trail[common]?.name === components[common]) common++;
        for (const { directory } of trail.splice(common)) directory.close();
        for (const name of components.slice(common)) {
          const directory = (trail.at(-1)?.directory ?? this.#root).findChild(name);
          if (directory === undefined) break;
          trail.push({ name, directory });
        }
        if (trail.length === components.length) use(trail.at(-1)?.directory ?? this.#root, path);
      }
    } finally {
      for (const { directory } of trail) directory.close();
    }
  }

  /** Opens a directory of this layer by its real path; undefined when there is none any more. */
  reopen(path: string): ConfinedDirectory | undefined {
    let directory = this.#reopenRoot();
    for (const name of path === '' ? [] : path.split('/')) {
      const next = directory.findChild(name);
      directory.close();
      if (next === undefined) return undefined;
      directory = next;
    }
    return directory;
  }

  /** Names that the layers below show in a directory given by its real path. */
  lowerNames(path: string): string[] {
    const names = new Set<string>();
    const gone = new Set<string>();
    this.#eachLower(path, (directory) => {
      for (const name of directory.list()) {
        if (gone.has(name) || names.has(name)) continue;
        const info = directory.stat(name);
        if (info !== undefined) (isWhiteout(info) ? gone : names).add(name);
      }
    });
    return [...names];
  }

  /** What the layers below show at `name` in a directory given by its real path. */
  lowerStat(path: string, name: string): EntryStat | undefined {
    let found: EntryStat | undefined;
    this.#eachLower(path, (directory) => {
      found ??= directory.stat(name);
    });
    return found === undefined || isWhiteout(found) ? undefined : found;
  }

  /** Runs `use` with the lower directory that shows `name`; undefined when none does. */
  withLower<T>(path: string, name: string, use: (directory: ConfinedDirectory) => T): T | undefined {
    let result: { value: T } | undefined;
    this.#eachLower(path, (directory) => {
      if (result === undefined && directory.stat(name) !== undefined) result = { value: use(directory) };
    });
    return result?.value;
  }

  /** One component: the directory, or the text of the symbolic link that stands there. */
  #step(at: Place, name: string): Place | string {
    const path = at.path === '' ? name : `${at.path}/${name}`;
    const own = at.directory.stat(name);
    if (own?.isDirectory()) return { directory: at.directory.child(name), path };
    const isStale = own !== undefined && this.#isStale(path);
    if (own?.isSymbolicLink() && !isStale) return at.directory.readLink(name);
    if (own !== undefined && !isStale) throw badPath(path, 'it is used as a directory but is none');
    if (isStale) at.directory.remove(name);
    const lower = this.#isHidden(path) ? undefined : this.lowerStat(at.path, name);
    if (lower?.isSymbolicLink()) return this.withLower(at.path, name, (directory) => directory.readLink(name)) ?? '';
    const place = { directory: at.directory.makeDirectory(name, 0o755), path };
    this.#onImplicit(place, lower?.isDirectory() ? lower : undefined);
    return place;
  }

  /** Visits this path's directory in each lower layer, topmost first, until one hides what is below it. */
  #eachLower(path: string, visit: (directory: ConfinedDirectory) => void): void {
    const components = path === '' ? [] : path.split('/');
    for (const lower of this.#lowers) {
      const found = descend(lower, components);
      if (found === 'hidden') return;
      if (found === 'missing') continue;
      visit(found);
      if (found !== lower) found.close();
    }
  }

  #rootPlace(): Place {
    return { directory: this.#root, path: '' };
  }

  #reopenRoot(): ConfinedDirectory {
    return this.#root.self();
  }
}

/** The directory at `components` below `from`; `hidden` when something that is no directory stands in the way. */
function descend(from: ConfinedDirectory, components: readonly string[]): ConfinedDirectory | 'missing' | 'hidden' {
  let at = from;
  for (const name of components) {
    const info = at.stat(name);
    const next = info?.isDirectory() ? at.findChild(name) : undefined;
    if (at !== from) at.close();
    if (next === undefined) return info === undefined ? 'missing' : 'hidden';
    at = next;
  }
  return at;
}

/** A character device 0:0, overlay's sign for "not here". */
export function isWhiteout(info: EntryStat): boolean {
  return info.isCharacterDevice() && info.rdev === 0n;
}

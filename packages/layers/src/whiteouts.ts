/**
 * Hiding what lower layers hold: noted while the archive is read, performed when it has ended.
 *
 * A whiteout speaks about the layers below only, whatever its place in the archive, so it can't be performed before all of
 * this layer's own members are known. Overlay gets `c 0 0` nodes, for an opaque directory one for every name below it,
 * which needs no extended attribute; a plain directory has the hidden files removed.
 *
 * Knows: both forms, and that one node can serve for all whiteouts as hard links.
 * Does not know: the archive.
 */
import { type ConfinedDirectory, isErrno } from '@slipway/kernel/worker';
import type { LayerStack } from './layer-stack.ts';

/**
 * The node that whiteouts are names of. Making one costs a process, so that layers that are applied one after the other share it, as overlay's
 * own whiteouts do.
 */
export class WhiteoutNode implements Disposable {
  #at: { readonly directory: ConfinedDirectory; readonly name: string } | undefined;

  /** Gives it one more name. */
  link(directory: ConfinedDirectory, name: string): void {
    if (this.#at !== undefined) {
      try {
        directory.hardLink(name, this.#at.directory, this.#at.name);
        return;
      } catch (error) {
        // Every file system bounds the names of one inode, its layer may have been thrown away, this one may lie elsewhere: a node of its own.
        if (!isErrno(error, 'EMLINK', 'ENOENT', 'EXDEV')) throw error;
      }
    }
    directory.makeNode(name, { type: 'char', major: 0, minor: 0, mode: 0o600 });
    this[Symbol.dispose]();
    this.#at = { directory: directory.self(), name };
  }

  [Symbol.dispose](): void {
    this.#at?.directory.close();
    this.#at = undefined;
  }
}

/** `literal`: the archive is no layer, and a name that begins like a whiteout is a name. */
export type WhiteoutForm = 'overlay' | 'remove' | 'literal';

export class Whiteouts {
  readonly #form: WhiteoutForm;
  readonly #hidden = new Set<string>();
  readonly #opaque = new Set<string>();
  /** Paths this layer itself wrote; kept for plain directories only, where its files lie among those of the layers below. */
  readonly #written = new Set<string>();
  readonly #node: WhiteoutNode;

  constructor(form: WhiteoutForm, node: WhiteoutNode) {
    this.#form = form;
    this.#node = node;
  }

  /** True when the name below is to be hidden and this layer has put nothing there. */
  isHidden(path: string): boolean {
    if (this.#written.has(path)) return false;
    return this.#hidden.has(path) || this.#opaque.has(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  }

  /** True when a file in a plain directory belongs to the layers below and is to be hidden. */
  isStale(path: string): boolean {
    return this.#form === 'remove' && this.isHidden(path);
  }

  hide(path: string): void {
    this.#hidden.add(path);
  }

  hideAllIn(path: string): void {
    this.#opaque.add(path);
  }

  /** Says that this layer wrote `path`, and so needs the directories above it. */
  wrote(path: string): void {
    if (this.#form !== 'remove') return;
    for (let at = path; at !== '' && !this.#written.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) this.#written.add(at);
  }

  /** Performs everything noted. */
  perform(stack: LayerStack): void {
    for (const path of this.#opaque) this.#hideContents(stack, path);
    for (const path of this.#hidden) {
      const slash = path.lastIndexOf('/');
      this.#hideName(stack, path.slice(0, Math.max(0, slash)), path.slice(slash + 1));
    }
  }

  #hideContents(stack: LayerStack, path: string): void {
    for (const name of this.#form === 'overlay' ? stack.lowerNames(path) : ownNames(stack, path)) this.#hideName(stack, path, name);
  }

  #hideName(stack: LayerStack, parent: string, name: string): void {
    const path = parent === '' ? name : `${parent}/${name}`;
    const directory = stack.reopen(parent);
    if (directory === undefined) return;
    try {
      const own = directory.stat(name);
      // A directory of this layer stays, and what the layers below have in it goes.
      if (own?.isDirectory() && (this.#form === 'overlay' || this.#written.has(path))) this.#hideContents(stack, path);
      else if (this.#form === 'remove' && !this.#written.has(path)) directory.remove(name);
      else if (this.#form === 'overlay' && own === undefined && stack.lowerStat(parent, name) !== undefined)
        this.#node.link(directory, name);
    } finally {
      directory.close();
    }
  }
}

function ownNames(stack: LayerStack, path: string): string[] {
  const directory = stack.reopen(path);
  if (directory === undefined) return [];
  const names = directory.list();
  directory.close();
  return names;
}

/**
 * One layer's index as the tree that overlay is to find: what unpacking would have written, without the bytes.
 *
 *     .wh.name         c 0 0            hides `name` of the layers below
 *     .wh..wh..opq     overlay.opaque   hides all of them in this directory
 *
 * Knows: parents that the index leaves out, hard links, whiteouts; what would come out other than by unpacking, which is refused.
 * Does not know: the layers below, except by asking; FUSE's messages.
 *
 * @spec image-spec/layer.md#whiteouts
 */
import { type EntryType, placeMember, splitMemberPath } from '@slipway/layers';
import { badIndex, type Chunk, type TocEntry, type TocType } from './estargz/toc.ts';

/** What the layers below have at a path: a directory, whose attributes a parent left out takes; nothing; or what stands in the way. */
export type Below =
  | { readonly kind: 'directory'; readonly mode: number; readonly uid: number; readonly gid: number; readonly mtimeNs: bigint }
  | { readonly kind: 'absent' | 'other' };

export interface LayerNode {
  readonly type: Exclude<EntryType, 'hardlink'> | 'whiteout';
  mode: number;
  uid: number;
  gid: number;
  mtimeNs: bigint;
  readonly sizeBytes: number;
  /** Names that it has; of a directory, as file systems count them. */
  links: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Of a symbolic link. */
  readonly target: string;
  xattrs: ReadonlyMap<string, Buffer>;
  readonly chunks: readonly Chunk[];
  /** Of a directory. */
  readonly children: Map<string, LayerNode> | undefined;
  /** Hides what the layers below have in it. */
  isOpaque: boolean;
}

export interface TreeOptions {
  /** Asked for parents that the index does not mention, and for `''`, the root. */
  readonly below: (path: string) => Below;
  /** False where the kernel lets nobody make device nodes: they are left out, as unpacking leaves them out. */
  readonly withDevices: boolean;
}

const TYPES: Readonly<Record<TocType, LayerNode['type'] | 'hardlink'>> = {
  dir: 'directory',
  reg: 'file',
  symlink: 'symlink',
  hardlink: 'hardlink',
  char: 'char',
  block: 'block',
  fifo: 'fifo',
};
/** Overlay's own, and lists of rights that a file system has to enforce. */
const KEPT_BACK = /^(?:(?:trusted|user)\.overlay\.|system\.)/;
const DIRECTORY_MODE = 0o755;
/** Linux gives links no mode of their own. */
const LINK_MODE = 0o777;

/** @returns the root directory @throws EngineError `invalid-argument` / `E_LAZY_INDEX`, `E_LAYER_PATH` for what only unpacking gets right */
export function planLayerTree(entries: readonly TocEntry[], options: TreeOptions): LayerNode {
  const plan = new TreePlan(options);
  for (const entry of entries) plan.add(entry);
  return plan.finish();
}

class TreePlan {
  readonly #options: TreeOptions;
  readonly #root: LayerNode;
  readonly #whiteouts: { readonly parent: LayerNode; readonly name: string }[] = [];

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#root = this.#implicit('');
  }

  add(entry: TocEntry): void {
    const place = placeMember(entry.name);
    if (place.kind === 'ignored') return;
    if (place.kind === 'root') {
      this.#describeRoot(entry);
      return;
    }
    const parent = this.#enter(place.parent);
    if (place.kind === 'entry') this.#place(parent, place.name, entry);
    else if (place.kind === 'opaque') parent.isOpaque = true;
    else this.#whiteouts.push({ parent, name: place.name });
  }

  /** Whiteouts speak of the layers below only: a directory of this layer is hidden from them by being opaque. */
  finish(): LayerNode {
    for (const { parent, name } of this.#whiteouts) {
      const own = parent.children?.get(name);
      if (own === undefined) parent.children?.set(name, plainNode('whiteout', { mode: 0 }));
      else if (own.children !== undefined) own.isOpaque = true;
    }
    return this.#root;
  }

  #describeRoot(entry: TocEntry): void {
    if (entry.type !== 'dir') throw badIndex('a root that is no directory');
    Object.assign(this.#root, attributesOf(entry));
  }

  #place(parent: LayerNode, name: string, entry: TocEntry): void {
    const type = TYPES[entry.type];
    const there = parent.children?.get(name);
    if (type === 'directory' && there?.children !== undefined) {
      Object.assign(there, attributesOf(entry));
      return;
    }
    if (there !== undefined) throw badIndex('two entries of one name', entry.name);
    if (type === 'hardlink') {
      this.#link(parent, name, entry);
      return;
    }
    if ((type === 'char' || type === 'block') && (!this.#options.withDevices || isWhiteoutDevice(entry))) return;
    if (type === 'directory') parent.links++;
    parent.children?.set(name, {
      ...plainNode(type, { ...attributesOf(entry), ...(type === 'symlink' ? { mode: LINK_MODE } : {}) }),
      sizeBytes: type === 'symlink' ? Buffer.byteLength(entry.linkName) : entry.sizeBytes,
      deviceMajor: entry.deviceMajor,
      deviceMinor: entry.deviceMinor,
      target: type === 'symlink' ? entry.linkName : '',
      chunks: entry.chunks,
    });
  }

  #link(parent: LayerNode, name: string, entry: TocEntry): void {
    let at: LayerNode | undefined = this.#root;
    for (const component of splitMemberPath(entry.linkName)) at = at?.children?.get(component);
    if (at === undefined) throw badIndex('a hard link to a file that is not in this layer', entry.name);
    if (at.children !== undefined) throw badIndex('a hard link to a directory', entry.name);
    at.links++;
    parent.children?.set(name, at);
  }

  #enter(components: readonly string[]): LayerNode {
    let at = this.#root;
    for (const [index, component] of components.entries()) {
      let next = at.children?.get(component);
      if (next === undefined) {
        next = this.#implicit(components.slice(0, index + 1).join('/'));
        at.children?.set(component, next);
        at.links++;
      }
      // Unpacking would follow such a link, perhaps into the layers below.
      if (next.children === undefined) throw badIndex('a parent that is no directory', components.join('/'));
      at = next;
    }
    return at;
  }

  #implicit(path: string): LayerNode {
    const below = this.#options.below(path);
    if (below.kind === 'other') throw badIndex('a parent that is a link or a file in the layers below', path);
    const { mode, uid, gid, mtimeNs } = below.kind === 'directory' ? below : { mode: DIRECTORY_MODE, uid: 0, gid: 0, mtimeNs: 0n };
    return plainNode('directory', { mode: mode & 0o7777, uid, gid, mtimeNs });
  }
}

type Attributes = Pick<LayerNode, 'mode' | 'uid' | 'gid' | 'mtimeNs' | 'xattrs'>;

function attributesOf({ mode, uid, gid, mtimeNs, xattrs }: TocEntry): Attributes {
  return { mode, uid, gid, mtimeNs, xattrs: new Map([...xattrs].filter(([name]) => !KEPT_BACK.test(name))) };
}

export function plainNode(type: LayerNode['type'], attributes: Partial<Attributes>): LayerNode {
  return {
    type,
    mode: DIRECTORY_MODE,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
    xattrs: new Map(),
    ...attributes,
    sizeBytes: 0,
    links: type === 'directory' ? 2 : 1,
    deviceMajor: 0,
    deviceMinor: 0,
    target: '',
    chunks: [],
    children: type === 'directory' ? new Map() : undefined,
    isOpaque: false,
  };
}

function isWhiteoutDevice({ type, deviceMajor, deviceMinor }: TocEntry): boolean {
  return type === 'char' && deviceMajor === 0 && deviceMinor === 0;
}

/** Where a path of the layer is; undefined when the layer has none. Links are not followed. */
export function findNode(root: LayerNode, path: string): LayerNode | undefined {
  let at: LayerNode | undefined = root;
  for (const component of path.split('/')) if (component !== '') at = at?.children?.get(component);
  return at;
}

/**
 * A file system that never changes, over FUSE: one directory for each layer, `/0`, `/1`, …
 *
 * Knows: nodes by number, and which answer belongs to which request.
 * Does not know: where content comes from; whoever reads is told EIO when it cannot be had.
 */
import type { LayerNode } from '../layer-tree.ts';
import { plainNode } from '../layer-tree.ts';
import {
  answerInit,
  type DirectoryEntry,
  deviceNumber,
  Errno,
  type FuseRequest,
  formatAbsence,
  formatAttributes,
  formatDirectory,
  formatEntry,
  formatOpen,
  formatReply,
  formatStatfs,
  formatXattr,
  type NodeAttributes,
  nameIn,
  Operation,
  parseInterrupt,
  parseRead,
  parseRequest,
  parseXattr,
} from './wire.ts';

/** Content of a file; throws when it cannot be had. */
export type ReadContent = (
  layer: number,
  node: LayerNode,
  range: { readonly offset: number; readonly size: number },
) => Promise<Uint8Array>;

interface FileNode {
  readonly layer: number;
  readonly node: LayerNode;
  readonly attributes: NodeAttributes;
  readonly parent: number;
  /** Of a directory: names with numbers. */
  readonly names: ReadonlyMap<string, number> | undefined;
}

const TYPE_BITS: Readonly<Record<LayerNode['type'], number>> = {
  fifo: 0o010000,
  char: 0o020000,
  whiteout: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
};
const ROOT = 1;
/** Asked for by overlay in either form, after the namespace it was mounted in. */
const OPAQUE = /^(?:trusted|user)\.overlay\.opaque$/;
const YES = Buffer.from('y');
const NANO = 1_000_000_000n;

type Answer = { readonly body: Uint8Array } | { readonly errno: number };
const refused = (errno: number): Answer => ({ errno });
const said = (body: Uint8Array): Answer => ({ body });

export class LayerFiles {
  readonly #nodes: FileNode[] = [];
  readonly #read: ReadContent;
  readonly #reply: (parts: readonly Uint8Array[]) => void;
  /** Reads that whoever asked still waits for. */
  readonly #waiting = new Set<bigint>();

  constructor(layers: readonly LayerNode[], read: ReadContent, reply: (parts: readonly Uint8Array[]) => void) {
    this.#read = read;
    this.#reply = reply;
    const top = plainNode('directory', { mode: 0o700 });
    const names = new Map<string, number>();
    this.#nodes[ROOT] = this.#describe(ROOT, { layer: 0, node: top, parent: ROOT, names });
    for (const [layer, root] of layers.entries()) names.set(String(layer), this.#number(root, layer, ROOT, new Map()));
  }

  /** Answers one request, at once or when its content is here. */
  handle(bytes: Buffer): void {
    const request = parseRequest(bytes);
    const { operation, unique } = request;
    if (operation === Operation.forget || operation === Operation.batchForget) return; // no answer is wanted
    if (operation === Operation.interrupt) this.#interrupt(parseInterrupt(request.body));
    else if (operation === Operation.read) this.#readFile(request);
    else this.#say(unique, this.#answer(request));
  }

  #say(unique: bigint, answer: Answer): void {
    this.#reply('errno' in answer ? formatReply(unique, answer.errno) : formatReply(unique, 0, answer.body));
  }

  #answer(request: FuseRequest): Answer {
    const { operation, body } = request;
    if (operation === Operation.init) {
      const reply = answerInit(body);
      return reply === undefined ? refused(Errno.EINVAL) : said(reply);
    }
    const file = this.#nodes[request.node];
    if (file === undefined) return refused(Errno.ENOENT);
    switch (operation) {
      case Operation.lookup:
        return this.#lookUp(file, nameIn(body));
      case Operation.getattr:
        return said(formatAttributes(file.attributes));
      case Operation.readlink:
        return file.node.type === 'symlink' ? said(Buffer.from(file.node.target)) : refused(Errno.EINVAL);
      case Operation.open:
        return said(formatOpen('file'));
      case Operation.opendir:
        return file.names === undefined ? refused(Errno.ENOTDIR) : said(formatOpen('directory'));
      case Operation.readdir:
      case Operation.readdirplus:
        return this.#list(request, file);
      case Operation.getxattr:
      case Operation.listxattr:
        return attribute(file.node, operation === Operation.listxattr, body);
      case Operation.statfs:
        return said(formatStatfs(this.#nodes.length));
      case Operation.release:
      case Operation.releasedir:
      case Operation.flush:
      case Operation.destroy:
        return said(new Uint8Array());
      default:
        return refused(Errno.ENOSYS);
    }
  }

  #lookUp(file: FileNode, name: string): Answer {
    const number = file.names?.get(name);
    const found = number === undefined ? undefined : this.#nodes[number];
    return said(found === undefined ? formatAbsence() : formatEntry(found.attributes));
  }

  #list({ node, operation, body }: FuseRequest, file: FileNode): Answer {
    if (file.names === undefined) return refused(Errno.ENOTDIR);
    const { offset, size } = parseRead(body);
    const all = [['.', node], ['..', file.parent], ...file.names] as readonly (readonly [string, number])[];
    return said(formatDirectory(this.#entries(all, offset), size, operation === Operation.readdirplus));
  }

  *#entries(all: readonly (readonly [string, number])[], offset: number): Generator<DirectoryEntry> {
    for (let at = offset; at < all.length; at++) {
      const [name = '', number = 0] = all[at] ?? [];
      const attributes = this.#nodes[number]?.attributes;
      if (attributes !== undefined) yield { name, next: at + 1, attributes };
    }
  }

  #readFile({ unique, node: number, body }: FuseRequest): void {
    const file = this.#nodes[number];
    if (file === undefined || file.node.type !== 'file') {
      this.#say(unique, refused(Errno.EINVAL));
      return;
    }
    this.#waiting.add(unique);
    const { offset, size } = parseRead(body);
    const settle = (answer: Answer) => {
      if (this.#waiting.delete(unique)) this.#say(unique, answer);
    };
    this.#read(file.layer, file.node, { offset, size }).then(
      (bytes) => settle(said(bytes)),
      () => settle(refused(Errno.EIO)),
    );
  }

  /** Whoever reads is being killed: it need not wait for a registry. */
  #interrupt(unique: bigint): void {
    if (this.#waiting.delete(unique)) this.#say(unique, refused(Errno.EINTR));
  }

  /** Gives numbers to a tree; a file with several names has one. */
  #number(node: LayerNode, layer: number, parent: number, known: Map<LayerNode, number>): number {
    const before = known.get(node);
    if (before !== undefined) return before;
    const number = Math.max(ROOT + 1, this.#nodes.length);
    known.set(node, number);
    const names = node.children === undefined ? undefined : new Map<string, number>();
    this.#nodes[number] = this.#describe(number, { layer, node, parent, names });
    for (const [name, child] of node.children ?? []) names?.set(name, this.#number(child, layer, number, known));
    return number;
  }

  #describe(number: number, about: Omit<FileNode, 'attributes'>): FileNode {
    const { node } = about;
    const seconds = node.mtimeNs / NANO - (node.mtimeNs % NANO < 0n ? 1n : 0n);
    return {
      ...about,
      attributes: {
        node: number,
        sizeBytes: node.sizeBytes,
        mode: TYPE_BITS[node.type] | node.mode,
        links: node.links,
        uid: node.uid,
        gid: node.gid,
        device: deviceNumber(node.deviceMajor, node.deviceMinor),
        mtimeSeconds: seconds,
        mtimeNanoseconds: Number(node.mtimeNs - seconds * NANO),
      },
    };
  }
}

function attribute(node: LayerNode, isList: boolean, body: Buffer): Answer {
  const { room, name } = parseXattr(body, isList);
  const value = isList
    ? Buffer.from([...node.xattrs.keys()].map((key) => `${key}\0`).join(''))
    : node.isOpaque && OPAQUE.test(name)
      ? YES
      : node.xattrs.get(name);
  if (value === undefined) return refused(Errno.ENODATA);
  const reply = formatXattr(value, room);
  return reply === undefined ? refused(Errno.ERANGE) : said(reply);
}

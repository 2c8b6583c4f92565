/**
 * The state directory: one directory a container.
 *
 * Knows: names below the root, and that one container's damaged state is no other's problem.
 * Does not know: what a record means.
 */
import { EngineError } from '@slipway/errors';
import {
  claimDirectory,
  hostControlFiles,
  isErrno,
  listDirectories,
  type Release,
  releaseFifo,
  removeTree,
  writeFileAtomic,
} from '@slipway/kernel';
import { requireContainerId } from './container-id.ts';
import { type ContainerRecord, formatRecord, parseRecord } from './container-record.ts';

/** A record is a config.json and little more. */
const RECORD_MAX_BYTES = 5 * 1024 * 1024;

/** What is known of an id: `damaged` where its directory exists and its record cannot be read. */
export type StoredContainer =
  | { readonly kind: 'whole'; readonly record: ContainerRecord }
  | { readonly kind: 'damaged'; readonly reason: string };

export class ContainerStore {
  readonly #root: string;
  /** Written by us last and perhaps still what stands there: a start follows its create within milliseconds. */
  #last: { readonly stamp: string; readonly record: ContainerRecord } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** Takes the id; only one of several callers gets it. @throws `already-exists` / `E_CONTAINER_EXISTS` */
  async claim(id: string): Promise<void> {
    if (await claimDirectory(this.#dir(id))) return;
    throw new EngineError('already-exists', `container with id exists: "${id}"`, {
      code: 'E_CONTAINER_EXISTS',
      op: 'container.create',
      subject: id,
    });
  }

  async write(record: ContainerRecord): Promise<void> {
    // A power cut ends what it speaks of, too (bootId), so nobody waits for a disk.
    const path = `${this.#dir(record.id)}/state.json`;
    await writeFileAtomic(path, formatRecord(record), { durable: false });
    const stamp = hostControlFiles.stamp(path);
    this.#last = stamp === undefined ? undefined : { stamp, record };
  }

  /** @throws `not-found` / `E_CONTAINER_UNKNOWN` */
  async read(id: string): Promise<StoredContainer> {
    const dir = this.#dir(id);
    if (this.#last?.record.id === id && hostControlFiles.stamp(`${dir}/state.json`) === this.#last.stamp) {
      return { kind: 'whole', record: this.#last.record };
    }
    try {
      const text = findState(`${dir}/state.json`);
      const record = text === undefined ? undefined : parseRecord(text, id);
      if (record !== undefined) return { kind: 'whole', record };
      if (text !== undefined || hostControlFiles.kind(dir) !== undefined)
        return { kind: 'damaged', reason: text === undefined ? 'missing' : 'not a whole document' };
    } catch (error) {
      return { kind: 'damaged', reason: String(error) };
    }
    throw new EngineError('not-found', `container "${id}" does not exist`, {
      code: 'E_CONTAINER_UNKNOWN',
      op: 'container.state',
      subject: id,
    });
  }

  /** @throws `not-found`; `data-loss` / `E_STATE_DAMAGED` */
  async require(id: string): Promise<ContainerRecord> {
    const stored = await this.read(id);
    if (stored.kind === 'whole') return stored.record;
    throw new EngineError('data-loss', `the state of container "${id}" cannot be read`, {
      code: 'E_STATE_DAMAGED',
      op: 'container.state',
      subject: id,
      hint: 'delete it with --force; other containers are not affected',
      cause: stored.reason,
    });
  }

  /** Ids, sorted; foreign names in the root are ignored. */
  async list(): Promise<readonly string[]> {
    return (await listDirectories(this.#root)).filter((name) => /^[A-Za-z0-9][A-Za-z0-9_+.-]{0,127}$/.test(name)).toSorted();
  }

  async remove(id: string): Promise<void> {
    await removeTree(this.#dir(id));
  }

  fifoPath(id: string): string {
    return `${this.#dir(id)}/exec.fifo`;
  }

  /** True from creation to start. */
  isHeldBack(id: string): boolean {
    return hostControlFiles.kind(this.fifoPath(id)) !== undefined;
  }

  /** Lets the process go on. */
  async release(id: string, isAlive: () => boolean): Promise<Release> {
    return releaseFifo(this.fifoPath(id), isAlive);
  }

  #dir(id: string): string {
    return `${this.#root}/${requireContainerId(id)}`;
  }
}

/** At once, without a trip through the thread pool: state stands on a tmpfs, as control files do. */
function findState(path: string): string | undefined {
  try {
    return hostControlFiles.read(path, RECORD_MAX_BYTES);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

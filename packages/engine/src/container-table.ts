/**
 * All containers: their durable records and what only this daemon knows of them.
 *
 *     <root>/containers/<id>/container.json     one record, replaced whole
 *                            config.json, hosts, hostname, resolv.conf, rootfs/, container.log
 *
 * Knows: names, ids, prefixes, and how a record is written.
 * Does not know: what a status means.
 */
import { EngineError } from '@slipway/errors';
import { ensurePrivateDirectory, findText, listNames, removeTree, writeFileAtomic } from '@slipway/kernel';
import type { ContainerRecord } from './container.ts';
import { LiveContainer } from './live-container.ts';

const RECORD = 'container.json';
const ID = /^[0-9a-f]{64}$/;

export interface ContainerTable {
  all(): readonly LiveContainer[];
  /** By id, name (with or without a leading slash) or unambiguous id prefix. @throws not-found / E_CONTAINER_UNKNOWN */
  get(reference: string): LiveContainer;
  findByName(name: string): LiveContainer | undefined;
  /**
   * Reserves id and name and makes the directory. On disk with the first {@link update}: a directory without a record is what is left of
   * a container that nobody was told of, or that has gone but for that.
   *
   * @throws already-exists / E_NAME_TAKEN naming who holds it
   */
  add(record: ContainerRecord): Promise<LiveContainer>;
  /**
   * Changes a record, in memory at once, on disk before this resolves: a killed daemon finds it again. After a power cut no process
   * lives, so an older record is as good, and no start waits for a disk.
   */
  update(container: LiveContainer, change: Partial<ContainerRecord>): Promise<void>;
  /** Forgets a container and removes its directory. */
  drop(container: LiveContainer): Promise<void>;
  directory(id: string): string;
  /** Ids of directories that had no record when the table was opened. */
  readonly leftovers: readonly string[];
}

/** Reads every record below `root`. An unreadable one is reported and left where it is; the others are not held up by it. */
export async function openContainerTable(root: string, warn: (message: string) => void): Promise<ContainerTable> {
  const base = `${root}/containers`;
  await ensurePrivateDirectory(base);
  const table = new Table(base);
  for (const id of await listNames(base)) {
    if (!ID.test(id)) continue;
    try {
      const text = await findText(`${base}/${id}/${RECORD}`);
      if (text === undefined) table.leftovers.push(id);
      else table.restore(parseRecord(id, text));
    } catch (error) {
      warn(
        `container ${id.slice(0, 12)} has an unreadable record and is left out: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return table;
}

class Table implements ContainerTable {
  readonly leftovers: string[] = [];
  readonly #base: string;
  readonly #byId = new Map<string, LiveContainer>();
  readonly #byName = new Map<string, LiveContainer>();

  constructor(base: string) {
    this.#base = base;
  }

  restore(record: ContainerRecord): void {
    this.#hold(new LiveContainer(record));
  }

  all(): readonly LiveContainer[] {
    return [...this.#byId.values()];
  }

  findByName(name: string): LiveContainer | undefined {
    return this.#byName.get(name);
  }

  get(reference: string): LiveContainer {
    const name = reference.replace(/^\//, '');
    const exact = this.#byId.get(name) ?? this.#byName.get(name);
    if (exact !== undefined) return exact;
    const matches = /^[0-9a-f]{1,64}$/.test(name) ? this.all().filter(({ id }) => id.startsWith(name)) : [];
    const [only] = matches;
    if (only !== undefined && matches.length === 1) return only;
    const message =
      matches.length > 1 ? `multiple IDs found with provided prefix: ${name}` : `No such container: ${reference.slice(0, 200)}`;
    throw new EngineError(matches.length > 1 ? 'invalid-argument' : 'not-found', message, {
      code: matches.length > 1 ? 'E_CONTAINER_AMBIGUOUS' : 'E_CONTAINER_UNKNOWN',
      op: 'container.get',
      subject: reference.slice(0, 200),
    });
  }

  async add(record: ContainerRecord): Promise<LiveContainer> {
    const holder = this.#byName.get(record.name);
    if (holder !== undefined) throw nameTaken(record.name, holder.id);
    // Held before the first await, so that two requests cannot both find the name free.
    const container = this.#hold(new LiveContainer(record));
    try {
      await ensurePrivateDirectory(this.directory(record.id), 0o711);
      return container;
    } catch (error) {
      await this.drop(container);
      throw error;
    }
  }

  async update(container: LiveContainer, change: Partial<ContainerRecord>): Promise<void> {
    const record = { ...container.record, ...change };
    if (record.name !== container.record.name) this.#rename(container, record.name);
    container.record = record;
    await container.saving(() => this.#save(container.record));
  }

  async drop(container: LiveContainer): Promise<void> {
    await container.saving(() => removeTree(this.directory(container.id)));
    this.#byId.delete(container.id);
    if (this.#byName.get(container.record.name) === container) this.#byName.delete(container.record.name);
  }

  directory(id: string): string {
    return `${this.#base}/${id}`;
  }

  #hold(container: LiveContainer): LiveContainer {
    this.#byId.set(container.id, container);
    this.#byName.set(container.record.name, container);
    return container;
  }

  #rename(container: LiveContainer, name: string): void {
    const holder = this.#byName.get(name);
    if (holder !== undefined) throw nameTaken(name, holder.id);
    this.#byName.delete(container.record.name);
    this.#byName.set(name, container);
  }

  async #save(record: ContainerRecord): Promise<void> {
    await writeFileAtomic(`${this.directory(record.id)}/${RECORD}`, JSON.stringify(record), { durable: false });
  }
}

/** Records are our own writing, so only what a torn or foreign file would lack is checked. */
function parseRecord(id: string, text: string): ContainerRecord {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('the record is no object');
  const record = value as ContainerRecord;
  if (record.id !== id || typeof record.name !== 'string' || typeof record.status !== 'string') throw new Error('fields are missing');
  if (typeof record.request !== 'object' || typeof record.process !== 'object') throw new Error('fields are missing');
  return record;
}

function nameTaken(name: string, id: string): EngineError {
  return new EngineError(
    'already-exists',
    `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    { code: 'E_NAME_TAKEN', op: 'container.create', subject: name },
  );
}

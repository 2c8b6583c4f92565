/**
 * What we keep of a foreign runtime's containers: a directory each, which is also the bundle it is given.
 *
 *     <root>/containers/<id>/
 *       ├─ config.json      the engine's, with the cgroup named
 *       ├─ record.json      the process that is the runtime's command line
 *       ├─ exec.fifo        exists until `start`
 *       ├─ exec-…/          the same for a further process, while it starts
 *       ├─ pid              the container's first process, once the runtime says so
 *       └─ log.json         what the runtime said
 *     <root>/runtime/       the runtime's own state
 *
 * Knows: names and shapes.
 * Does not know: what the runtime does.
 */
import { randomBytes } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import {
  claimDirectory,
  ensurePrivateDirectory,
  findProcStat,
  findText,
  hostControlFiles,
  isSameProcess,
  listDirectories,
  readBootId,
  removeTree,
  writeFileAtomic,
} from '@slipway/kernel';
import { formatSpecJson, parseSpecJson, type RuntimeSpec, SPEC_MAX_BYTES } from '@slipway/oci';
import { requireContainerId } from '../container-id.ts';
import type { StartedProcess } from '../runtime.ts';

export interface ForeignRecord {
  readonly bootId: string;
  readonly created: string;
  /** The directory that `create` was asked for. */
  readonly bundle: string;
  readonly cgroups: Readonly<Record<string, string>>;
  /** The runtime's command line; absent while it is being made. */
  readonly process?: Pick<StartedProcess, 'pid' | 'startTime' | 'shimPid'>;
}

export class ForeignStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = `${root}/containers`;
  }

  dir(id: string): string {
    return `${this.#root}/${requireContainerId(id)}`;
  }

  fifo(id: string): string {
    return `${this.dir(id)}/exec.fifo`;
  }

  has(id: string): boolean {
    return hostControlFiles.kind(this.dir(id)) !== undefined;
  }

  list(): Promise<readonly string[]> {
    return listDirectories(this.#root);
  }

  /** @throws `already-exists` / `E_CONTAINER_EXISTS` */
  async claim(id: string): Promise<void> {
    if (await claimDirectory(this.dir(id))) return;
    throw new EngineError('already-exists', `container with id exists: "${id}"`, {
      code: 'E_CONTAINER_EXISTS',
      op: 'container.create',
      subject: id,
    });
  }

  async write(id: string, record: ForeignRecord): Promise<void> {
    await writeFileAtomic(`${this.dir(id)}/record.json`, JSON.stringify(record), { durable: false });
  }

  async writeSpec(id: string, spec: RuntimeSpec): Promise<void> {
    await writeFileAtomic(`${this.dir(id)}/config.json`, formatSpecJson(spec), { durable: false });
  }

  /** @throws `not-found` / `E_CONTAINER_UNKNOWN` */
  async require(id: string): Promise<ForeignRecord> {
    const text = await findText(`${this.dir(id)}/record.json`);
    if (text !== undefined) return JSON.parse(text) as ForeignRecord;
    throw unknownContainer(id);
  }

  async spec(id: string): Promise<RuntimeSpec> {
    const text = await findText(`${this.dir(id)}/config.json`, { maxBytes: SPEC_MAX_BYTES });
    if (text !== undefined) return parseSpecJson(text) as RuntimeSpec;
    throw unknownContainer(id);
  }

  /** For what one `exec` needs; the caller removes it. */
  async makeExecDir(id: string): Promise<string> {
    const dir = `${this.dir(id)}/exec-${randomBytes(8).toString('hex')}`;
    await ensurePrivateDirectory(dir);
    return dir;
  }

  /** The first process, by a pid file that the runtime has written; undefined until then, or when it has ended. */
  async processIn(pidFile: string): Promise<{ readonly pid: number; readonly startTime: string } | undefined> {
    const pid = Number(await findText(pidFile));
    const startTime = pid > 1 ? findProcStat(pid)?.startTime : undefined;
    return startTime === undefined ? undefined : { pid, startTime: String(startTime) };
  }

  async remove(id: string): Promise<void> {
    await removeTree(this.dir(id));
  }
}

export function isAlive({ bootId, process }: ForeignRecord): boolean {
  return bootId === readBootId() && process !== undefined && isSameProcess(process.pid, process.startTime);
}

function unknownContainer(id: string): EngineError {
  return new EngineError('not-found', `container "${id}" does not exist`, {
    code: 'E_CONTAINER_UNKNOWN',
    op: 'container.state',
    subject: id,
  });
}

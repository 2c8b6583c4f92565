/**
 * Further processes in running containers, as far as this daemon knows of them.
 *
 * Knows: ids, and that ended ones are kept a while so that a client can still ask for the exit code.
 * Does not know: how one is started (exec.ts).
 */
import { EngineError } from '@slipway/errors';
import type { ShimConnection } from '@slipway/launcher';

/** What is asked for. */
export interface ExecConfig {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly privileged: boolean;
}

export interface ExecRecord {
  readonly id: string;
  readonly container: string;
  readonly config: ExecConfig;
  status: 'created' | 'running' | 'exited';
  pid: number;
  exitCode: number | undefined;
  supervisor: ShimConnection | undefined;
}

export interface ExecTable {
  add(record: ExecRecord): void;
  /** @throws not-found / E_EXEC_UNKNOWN */
  get(id: string): ExecRecord;
  ofContainer(container: string): readonly ExecRecord[];
  forgetContainer(container: string): void;
}

/** Finished records kept in all; a learner who execs in a loop must not fill the daemon's memory. */
const KEPT = 1000;

export function createExecTable(): ExecTable {
  const records = new Map<string, ExecRecord>();
  return {
    add: (record) => {
      records.set(record.id, record);
      if (records.size <= KEPT) return;
      const old = [...records.values()].find(({ status }) => status !== 'running');
      if (old !== undefined) records.delete(old.id);
    },
    get: (id) => {
      const record = records.get(id);
      if (record !== undefined) return record;
      throw new EngineError('not-found', `No such exec instance: ${id.slice(0, 200)}`, {
        code: 'E_EXEC_UNKNOWN',
        op: 'exec.get',
        subject: id.slice(0, 200),
      });
    },
    ofContainer: (container) => [...records.values()].filter((record) => record.container === container),
    forgetContainer: (container) => {
      // Its clients still ask for the exit codes, so ended ones stay until they are pushed out.
      for (const record of records.values()) {
        if (record.container === container && record.status === 'created') records.delete(record.id);
      }
    },
  };
}

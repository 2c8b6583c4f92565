/**
 * Births by a launcher that was started before its plan, in v1 groups of a test's own.
 *
 * Knows: how to wait for a cradle, and what can be seen of a child while it waits for its start.
 * Does not know: what a test expects of either.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Launched, Launcher, LaunchOptions, PreparedLauncher } from '../launcher.ts';
import type { OperationRecord, Plan } from '../operations.ts';
import { attachShim } from '../shim-client.ts';
import { isAlive, openStart, type Rig, shimOptions } from './rig.ts';

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let left = 2000; !holds(); left--) {
    if (left === 0) throw new Error(`no ${what}`);
    await sleep(5);
  }
}

/** A group of the same name in two v1 hierarchies; in none where this host has no v1. */
export class TestGroups {
  readonly hierarchies = ['pids', 'freezer'].map((name) => `/sys/fs/cgroup/${name}`).filter((path) => existsSync(`${path}/cgroup.procs`));
  readonly paths: readonly string[];
  readonly procsFiles: readonly string[];

  constructor(name: string) {
    this.paths = this.hierarchies.map((path) => `${path}/${name}-${process.pid}`);
    this.procsFiles = this.paths.map((path) => `${path}/cgroup.procs`);
    for (const path of this.paths) mkdirSync(path);
  }

  /** Pids, a list for each hierarchy. */
  members(): readonly (readonly number[])[] {
    return this.procsFiles.map((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number));
  }

  async empty(): Promise<void> {
    await until('an empty group', () => this.members().every((pids) => pids.length === 0));
  }

  [Symbol.dispose](): void {
    for (const path of this.paths) rmdirSync(path);
  }
}

export interface Birth {
  readonly launcher: Launcher;
  readonly rig: Rig;
  readonly groups: TestGroups;
  readonly prepared: PreparedLauncher;
  /** Waits for its start. */
  readonly plan: Plan;
  readonly more?: Partial<LaunchOptions>;
}

export interface Born extends Launched {
  /** While it waits for its start. */
  readonly members: readonly (readonly number[])[];
  readonly parent: number;
  readonly descriptors: number;
  readonly stdout: string;
  readonly exitCode: number;
  readonly records: readonly OperationRecord[];
}

/** A whole life, under a shim. */
export async function born({ launcher, rig, groups, prepared, plan, more = {} }: Birth): Promise<Born> {
  const dir = rig.shimDir();
  const startFifo = rig.fifo();
  const records: OperationRecord[] = [];
  const onRecord = (record: OperationRecord) => void records.push(record);
  const launched = await launcher.launch(plan, {
    ...shimOptions(dir),
    startFifo,
    prepared,
    bornInGroups: prepared.standsInGroups,
    onRecord,
    ...more,
  });
  const status = () => readFileSync(`/proc/${launched.pid}/status`, 'utf8');
  // Told that it waits, one may look before it has closed the last of what it needed to say so.
  await until('the child at its fifo', () => /^State:\s+S/m.test(status()));
  const members = groups.members();
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(status())?.[1]);
  const descriptors = readdirSync(`/proc/${launched.pid}/fd`).length;
  const connection = await attachShim(dir);
  let stdout = '';
  connection.onOutput((_stream, bytes) => {
    stdout += Buffer.from(bytes).toString();
  });
  openStart(startFifo);
  const { exitCode } = await connection.exit;
  await until('end of the shim', () => !isAlive(launched.shimPid ?? 0));
  return { ...launched, members, parent, descriptors, stdout, exitCode, records };
}

/**
 * The processes of a container, as `ps` would show them to the host.
 *
 * Knows: the columns of `ps -ef`, out of /proc.
 * Does not know: any other format of ps.
 */
import { EngineError } from '@slipway/errors';
import { findCommandLine, findProcStat, findProcStatus, hostControlFiles } from '@slipway/kernel';
import { requireAllowed } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const TITLES = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'] as const;
/** USER_HZ is 100 on every architecture Linux still supports. */
const TICKS_PER_SECOND = 100;

/** @throws unsupported / E_TOP_FORMAT for arguments other than `-ef` and its equals */
export async function topContainer(engine: EngineContext, container: LiveContainer, psArgs: string): Promise<ProcessTable> {
  requireAllowed(container.record, 'top');
  if (!['', '-ef', 'ef', '-e -f'].includes(psArgs.trim())) {
    throw new EngineError('unsupported', `ps arguments '${psArgs.slice(0, 80)}' are not supported`, {
      code: 'E_TOP_FORMAT',
      op: 'container.top',
      hint: 'leave them out: the columns are those of ps -ef',
    });
  }
  const bootSeconds = Number(/^btime (\d+)$/m.exec(hostControlFiles.read('/proc/stat'))?.[1] ?? 0);
  const pids = await engine.runtime.pids(container.id);
  return { titles: TITLES, rows: pids.flatMap((pid) => describe(pid, bootSeconds)) };
}

/** Empty when the process ended in the meantime. */
function describe(pid: number, bootSeconds: number): readonly (readonly string[])[] {
  const stat = findProcStat(pid);
  const status = findProcStatus(pid);
  if (stat === undefined || status === undefined) return [];
  const command = findCommandLine(pid) ?? [];
  const fields = hostStatFields(pid);
  const started = new Date((bootSeconds + Number(stat.startTime) / TICKS_PER_SECOND) * 1000);
  const cpuSeconds = Math.floor((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND);
  const cmd = command.length === 0 ? `[${stat.comm}]` : command.join(' ');
  const row = [
    status.uid[0] ?? 0,
    pid,
    stat.ppid,
    0,
    started.toISOString().slice(11, 16),
    terminalName(Number(fields[4] ?? 0)),
    hms(cpuSeconds),
    cmd,
  ];
  return [row.map(String)];
}

/** Fields 3 and up of /proc/PID/stat. */
function hostStatFields(pid: number): readonly string[] {
  try {
    const text = hostControlFiles.read(`/proc/${pid}/stat`);
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return []; // it ended between two looks
  }
}

function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  return major === 136 ? `pts/${(device & 0xff) | ((device >> 12) & 0xfff00)}` : '?';
}

function hms(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

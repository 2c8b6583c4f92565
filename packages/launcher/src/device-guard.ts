/**
 * Device programs for containers that run already: the C program in its other role, without a plan.
 *
 * Knows: what that role reads and answers.
 * Does not know: the rules a program stands for.
 */
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { launchError } from './failure.ts';
import type { OperationBody } from './operations.ts';
import { RecordReader } from './records.ts';

type DeviceProgram = Extract<OperationBody, { op: 'deviceProgram' }>;

/** Hands the program over and waits for the end. @throws EngineError as a launch whose `deviceProgram` failed */
export async function guardDevices(child: ChildProcess, { cgroup, program }: Omit<DeviceProgram, 'op'>): Promise<void> {
  const [input, records] = [child.stdio[3], child.stdio[4]] as Duplex[];
  const reader = new RecordReader();
  const failures: { call: string; errno: number }[] = [];
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  // A role that fails early closes its end before we are done writing: its record tells the reason.
  input?.on('error', () => undefined);
  records?.on('data', (bytes: Buffer) => failures.push(...reader.push(bytes)));
  input?.end(program);
  if ((await ended) === 0) return;
  const { call, errno } = failures[0] ?? { call: 'exit', errno: 0 };
  const operation = { op: 'deviceProgram', cgroup, program, pointer: '/linux/resources/devices', reason: '', phase: 'identity' } as const;
  throw launchError(operation, { index: 0, op: operation.op, call, errno });
}

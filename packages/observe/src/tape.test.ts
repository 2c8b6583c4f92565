import { expect, test } from 'vitest';
import { callsOf, TapeRecords } from './tape.ts';
import type { TraceRecord } from './trace-records.ts';

const THREAD = 0x1_0000;
let clock = 0;
const at = () => ({ atMs: ++clock });
const exec = (pid: number, filename: string): TraceRecord => ({ type: 'exec', ...at(), pid, oldPid: pid, filename });
const born = (pid: number, childPid: number, flags = 0): TraceRecord => ({ type: 'newtask', ...at(), pid, childPid, flags, comm: '' });
const call = (pid: number, syscall: string, args = {}): TraceRecord => ({ type: 'syscall', ...at(), pid, syscall, args });
const back = (pid: number, syscall: string, result = 0): TraceRecord => ({ type: 'returned', ...at(), pid, syscall, result });

test('calls of the program and its children, paired with their returns; threads count as their process; others are left out', () => {
  const calls = callsOf(
    [
      call(9, 'mount'), // somebody else's
      exec(10, '/usr/bin/runc'),
      born(10, 11, THREAD),
      call(11, 'unshare', { unshare_flags: '0x20000' }),
      born(10, 12),
      call(12, 'mount'),
      back(11, 'unshare'),
      back(12, 'mount', -2),
      exec(12, '/bin/sh'),
      exec(9, '/bin/other'),
      call(12, 'setsid'),
    ],
    '/usr/bin/runc',
  );
  expect(calls.map(({ process, syscall, result }) => [process, syscall, result])).toEqual([
    [0, 'execve', 0],
    [0, 'unshare', 0],
    [0, 'clone', 1],
    [1, 'mount', -2],
    [1, 'execve', 0],
    [1, 'setsid', undefined],
  ]);
  expect(calls[1]).toMatchObject({ args: { unshare_flags: '0x20000' }, tookMs: 3 });
});

test('of several runs the one that did the most; a pid that ended and came again is somebody else', () => {
  const calls = callsOf(
    [
      exec(20, '/runc'),
      { type: 'exit', ...at(), pid: 20, comm: 'runc' },
      exec(30, '/runc'),
      call(30, 'setsid'),
      back(30, 'setsid'),
      { type: 'exit', ...at(), pid: 30, comm: 'runc' },
      call(30, 'mount'),
    ],
    '/runc',
  );
  expect(calls.map(({ syscall }) => syscall)).toEqual(['execve', 'setsid']);
  expect(callsOf([call(1, 'mount')], '/runc')).toEqual([]);
});

test('a tape that runs long, or over a very busy moment, keeps its beginning and says that it is not whole', () => {
  const busy = Array.from({ length: 300_000 }, () => call(9, 'umask'));
  const tape = new TapeRecords(1000);
  tape.take({ records: [exec(10, '/usr/bin/runc')], lost: 0 });
  expect(tape.truncated).toBe(false);
  tape.take({ records: busy, lost: 0 });
  tape.take({ records: busy, lost: 0 });
  expect(tape.truncated).toBe(true);
  const kept = tape.until(clock);
  expect(kept).toHaveLength(1000);
  expect(kept[0]).toMatchObject({ type: 'exec', pid: 10 });
});

test('a tape over which the kernel lost records says so', () => {
  const tape = new TapeRecords(1000);
  tape.take({ records: [], lost: -1 });
  expect(tape.truncated).toBe(true);
});

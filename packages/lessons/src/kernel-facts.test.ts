import type { JournalBody, JournalEvent } from '@slipway/journal/types';
import { expect, test } from 'vitest';
import { argument, callsMade, descent, programsStarted } from './kernel-facts.ts';
import type { CheckView } from './types.ts';

const [SHELL, ENGINE, LAUNCHER] = [10, 15, 20];
const fork = (hostPid: number, childHostPid: number, made: readonly 'pid'[] = []): JournalBody => ({
  type: 'kernel.fork',
  event: { pid: hostPid, hostPid, comm: 'x', childHostPid, ...(made.length > 0 ? { namespaces: made } : {}) },
});
const forkOutside = (childHostPid: number): JournalBody => ({
  type: 'kernel.fork',
  event: { pid: 1, hostPid: 1, hostPidOnly: true, comm: 'slipway-launcher', childHostPid },
});
/** The launcher on the host, before it forks the shell. */
const setnsOutside: JournalBody = {
  type: 'kernel.syscall',
  event: { pid: 1, hostPid: 1, hostPidOnly: true, comm: 'slipway-launcher', syscall: 'setns', args: {} },
};
const setns = (hostPid: number): JournalBody => ({
  type: 'kernel.syscall',
  event: { pid: hostPid, hostPid, comm: 'slipway-launcher', syscall: 'setns', args: {} },
});
const exec = (hostPid: number, container?: string): JournalBody => ({
  type: 'kernel.exec',
  event: { pid: hostPid, hostPid, comm: 'ps', filename: '/bin/ps', ...(container === undefined ? {} : { container }) },
});

const journal = (bodies: readonly JournalBody[]) =>
  bodies.map((body, index): JournalEvent => ({ ...body, seq: index + 1, atMs: index, origin: 'host' }));

/** Of every program that `bodies`, the first `before` of them from before the work began, start. */
function insideAfter(before: number, bodies: readonly JournalBody[]): readonly boolean[] {
  const all = journal(bodies);
  const [earlier, events] = [all.slice(0, before), all.slice(before)];
  const view: CheckView = { containers: [], everSeen: [], processes: [], layers: [], events, earlier, machineNamespaces: {} };
  return programsStarted(view).map((started) => started.inside);
}

test.each<[string, readonly JournalBody[], readonly boolean[]]>([
  ['typed into the machine’s shell', [fork(SHELL, 11), exec(11)], [false]],
  ['known to be in a container’s cgroup', [fork(LAUNCHER, 21), exec(21, 'c1')], [true]],
  ['gone before its cgroup could be read, after it joined namespaces', [fork(LAUNCHER, 21), setns(21), exec(21)], [true]],
  ['a child of a process that joined', [fork(ENGINE, LAUNCHER), setns(LAUNCHER), fork(LAUNCHER, 21), exec(21)], [true]],
  ['the first of a new pid namespace', [fork(LAUNCHER, 21, ['pid']), exec(21)], [true]],
  [
    'typed into a shell that entered the machine',
    [setnsOutside, forkOutside(SHELL), setns(SHELL), exec(SHELL), fork(SHELL, 11), exec(11)],
    [false, false],
  ],
  ['typed into a shell that entered, whose birth was not seen', [setns(SHELL), exec(SHELL), fork(SHELL, 11), exec(11)], [false, false]],
  [
    'from a shell that entered, and then a container',
    [forkOutside(SHELL), setns(SHELL), exec(SHELL), setns(SHELL), exec(SHELL)],
    [false, true],
  ],
  ['another process with the number of one that joined', [setns(21), fork(SHELL, 21), exec(21)], [false]],
])('a program started inside or not: %s', (_, bodies, expected) => {
  expect(insideAfter(0, bodies)).toEqual(expected);
});

test('where a process was when the work began is known, and no program of before is told', () => {
  const entering = [forkOutside(SHELL), setns(SHELL), exec(SHELL), fork(SHELL, 11), exec(11)];
  expect(insideAfter(1, entering)).toEqual([false, false]);
  expect(insideAfter(3, entering)).toEqual([false]);
  expect(insideAfter(3, [fork(ENGINE, LAUNCHER), setns(LAUNCHER), fork(LAUNCHER, 21), exec(21)])).toEqual([true]);
});

test('only calls that succeeded, with where the caller was; a failed setns has entered nothing', () => {
  const call = (hostPid: number, syscall: string, result: number): JournalBody => ({
    type: 'kernel.syscall',
    event: { pid: hostPid, hostPid, comm: 'x', syscall, args: { flags: '0x4000000' }, result },
  });
  const bodies = [
    fork(SHELL, 11),
    call(11, 'setns', -1),
    call(11, 'sethostname', 0),
    call(11, 'setns', 0),
    call(11, 'sethostname', 0),
    fork(SHELL, 12, ['pid']),
    call(12, 'sethostname', 0),
    call(12, 'sethostname', -1),
  ];
  const events = journal(bodies);
  const view: CheckView = { containers: [], everSeen: [], processes: [], layers: [], events, earlier: [], machineNamespaces: {} };
  expect(callsMade(view, 'sethostname').map(({ atMs, where }) => [atMs, where])).toEqual([
    [2, 'machine'],
    [4, 'joined'],
    [6, 'born'],
  ]);
  expect(callsMade(view, 'setns').map((made) => argument(made.call, 'flags'))).toEqual([0x4000000]);
});

test('who descends from whom, by either kind of pid; a circle ends', () => {
  const bodies: JournalBody[] = [
    { type: 'kernel.fork', event: { pid: 1, hostPid: 500, comm: 'sh', childPid: 7, childHostPid: 501 } },
    { type: 'kernel.fork', event: { pid: 7, hostPid: 501, comm: 'sh', childHostPid: 502 } },
    { type: 'kernel.exec', event: { pid: 502, hostPid: 502, hostPidOnly: true, comm: 'ls' } },
    { type: 'kernel.fork', event: { pid: 9, hostPid: 600, comm: 'x', childHostPid: 600 } },
  ];
  const events = journal(bodies);
  const lines = descent({ containers: [], everSeen: [], processes: [], layers: [], events, earlier: [], machineNamespaces: {} });
  expect(lines.ofHostPid(502)).toEqual([502, 501, 500]);
  expect(lines.ofMachinePid(7)).toEqual([501, 500]);
  expect(lines.ofMachinePid(502)).toEqual([]);
  expect(lines.ofHostPid(600)).toEqual([600]);
});

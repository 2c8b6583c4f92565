import { expect, test } from 'vitest';
import { createAttribution, HOLD_MS, type ProcPort } from './attribution.ts';
import type { TraceRecord } from './trace-records.ts';

/** Living processes by host pid: their pids from the host's namespace down. */
function fakeProc(living: Record<number, readonly number[]>, groups: Record<number, string> = {}): ProcPort {
  return {
    nsPids: (pid) => living[pid],
    comm: (pid) => (living[pid] ? 'known' : undefined),
    locate: (pid) => (groups[pid] === undefined ? undefined : { machine: 'm1', cgroup: groups[pid] ?? '/' }),
    containerOf: (_pid, cgroup) => (cgroup.startsWith('/slipway/') ? cgroup.slice(9) : undefined),
  };
}

/** Machine m1 with pid 1 at host pid 500. The clock stands long after the records unless a test sets it: nothing waits. */
function attribution(proc: ProcPort, clock = { ms: 10_000 }) {
  const it = createAttribution(proc, () => clock.ms);
  it.addMachine('m1', 1);
  it.adopt('m1', [500]);
  return it;
}

const newtask = (pid: number, childPid: number, flags = 0x1200011): TraceRecord => ({
  type: 'newtask',
  atMs: 1,
  pid,
  childPid,
  flags,
  comm: 'sh',
});
const cloned = (pid: number, childPid: number): TraceRecord => ({ type: 'cloned', atMs: 1, pid, childPid });
const exec = (pid: number, filename: string): TraceRecord => ({ type: 'exec', atMs: 2, pid, oldPid: pid, filename });
const exit = (pid: number, comm: string): TraceRecord => ({ type: 'exit', atMs: 3, pid, comm });

test('a short-lived command has its machine pid from what clone returned, although nobody could look it up', () => {
  const it = attribution(fakeProc({ 500: [500, 1] }));
  // vfork: the parent hears the pid after the child has executed and ended.
  const events = it.attribute([newtask(500, 501, 0x4111), exec(501, '/usr/bin/ls'), exit(501, 'ls'), cloned(500, 7)]);
  expect(events.map(({ body }) => body)).toEqual([
    { type: 'kernel.fork', event: { pid: 1, hostPid: 500, comm: 'sh', childPid: 7, childHostPid: 501 } },
    { type: 'kernel.exec', event: { pid: 7, hostPid: 501, comm: 'ls', filename: '/usr/bin/ls' } },
    { type: 'kernel.exit', event: { pid: 7, hostPid: 501, comm: 'ls' } },
  ]);
  expect(it.isKnown(501)).toBe(false);
});

test('a living process has its machine pid from NSpid, whatever namespace it is in', () => {
  const it = attribution(fakeProc({ 500: [500, 1], 501: [501, 7, 1] }));
  const [fork] = it.attribute([newtask(500, 501, 0x2002_0011), cloned(500, 7)]);
  expect(fork?.body).toMatchObject({ event: { childPid: 7, namespaces: ['mnt', 'pid'] } });
});

test('a pid returned inside a container is not taken for the machine’s', () => {
  const it = attribution(fakeProc({ 500: [500, 1], 501: [501, 7, 1] }));
  it.attribute([newtask(500, 501, 0x2000_0011), cloned(500, 7)]);
  const events = it.attribute([newtask(501, 502), cloned(501, 2), exec(502, '/bin/ls'), exit(502, 'ls')]);
  expect(events[0]?.body).toMatchObject({ event: { pid: 7, childHostPid: 502 } });
  expect(events[0]?.body).not.toHaveProperty('event.childPid');
  expect(events[1]?.body).toMatchObject({ event: { pid: 502, hostPidOnly: true } });
});

test('after unshare of the pid namespace, grandchildren are not translated by clone either', () => {
  const it = attribution(fakeProc({ 500: [500, 1] }));
  it.attribute([
    newtask(500, 501),
    cloned(500, 7),
    { type: 'syscall', atMs: 1, pid: 501, syscall: 'unshare', args: { unshare_flags: '0x20000000' } },
    { type: 'returned', atMs: 1, pid: 501, syscall: 'unshare', result: 0 },
  ]);
  // The child's pid in the machine is what unshare's own namespace, the machine's, returned …
  const [first] = it.attribute([newtask(501, 502), cloned(501, 8)]);
  expect(first?.body).toMatchObject({ event: { pid: 7, childPid: 8 } });
  // … but its children count from 1 again.
  const [second] = it.attribute([newtask(502, 503), cloned(502, 2)]);
  expect(second?.body).not.toHaveProperty('event.childPid');
});

test('threads are not processes: their births and ends are left out, their calls are their process’s', () => {
  const it = attribution(fakeProc({ 500: [500, 1] }));
  const events = it.attribute([
    newtask(500, 501, 0x3d0f00),
    { type: 'syscall', atMs: 1, pid: 501, syscall: 'mount', args: {} },
    { type: 'returned', atMs: 1, pid: 501, syscall: 'mount', result: 0 },
    exit(501, 'node'),
  ]);
  expect(events.map(({ body }) => body)).toEqual([
    { type: 'kernel.syscall', event: { pid: 1, hostPid: 500, comm: 'sh', syscall: 'mount', args: {}, result: 0 } },
  ]);
});

test('a call is told when it returns, with its result and as its process was when it began', () => {
  const it = attribution(fakeProc({ 500: [500, 1] }));
  const call = (syscall: string, pid = 500): TraceRecord => ({ type: 'syscall', atMs: 1, pid, syscall, args: {} });
  const back = (syscall: string, result: number): TraceRecord => ({ type: 'returned', atMs: 2, pid: 500, syscall, result });
  expect(it.attribute([call('chroot')])).toEqual([]);
  const events = it.attribute([
    back('chroot', -1),
    call('kill'),
    call('mount'),
    exec(500, '/bin/ls'),
    back('mount', 0),
    back('unshare', 0),
  ]);
  expect(
    events.map(({ body, atMs }) => [
      atMs,
      'event' in body && 'syscall' in body.event ? [body.event.syscall, body.event.result] : body.type,
    ]),
  ).toEqual([
    [1, ['chroot', -1]],
    [1, ['kill', undefined]],
    [1, ['mount', undefined]],
    [2, 'kernel.exec'],
  ]);
});

test('who is killed for memory is told, whoever asked for more', () => {
  const it = attribution(fakeProc({ 500: [500, 1], 501: [501, 7] }));
  it.attribute([newtask(500, 501)]);
  it.learn(501, { pid: 7, isNested: false, container: 'c1' });
  const [oom] = it.attribute([{ type: 'oom', atMs: 3, pid: 4, victim: 501 }]);
  expect(oom?.body).toEqual({ type: 'kernel.oom', event: { pid: 7, hostPid: 501, comm: 'sh', container: 'c1' } });
  expect(it.attribute([{ type: 'oom', atMs: 3, pid: 4, victim: 9 }])).toEqual([]);
});

test('who is in no machine is left out; who entered one from outside is found by its cgroup', () => {
  const it = attribution(fakeProc({ 500: [500, 1], 900: [900, 33] }, { 900: '/slipway/c1' }));
  const events = it.attribute([exec(4, '/bin/false'), exec(900, '/bin/bash')]);
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ machine: 'm1', body: { event: { pid: 33, container: 'c1' } } });
});

test('children belong to their parent’s machine and container, until the machine leaves', () => {
  const it = attribution(fakeProc({ 500: [500, 1] }));
  it.learn(500, { pid: 1, isNested: false, container: 'c9' });
  expect(it.attribute([newtask(500, 501)])[0]?.body).toMatchObject({ event: { container: 'c9' } });
  it.removeMachine('m1');
  expect(it.attribute([exec(501, '/bin/ls')])).toEqual([]);
});

test('a program that was executed by descriptor, or renamed itself, has the name the kernel knows', () => {
  const it = attribution(fakeProc({ 500: [500, 1], 501: [501, 7] }));
  const renamed: TraceRecord = { type: 'newtask', atMs: 3, pid: 501, childPid: 502, flags: 0x11, comm: 'shim' };
  const [, byDescriptor] = it.attribute([newtask(500, 501), exec(501, '/dev/fd/7')]);
  expect(byDescriptor?.body).toMatchObject({ event: { comm: 'known', filename: '/dev/fd/7' } });
  expect(it.attribute([renamed])[0]?.body).toMatchObject({ event: { comm: 'shim' } });
});

test('events wait for a parent that has not returned from clone, but not for ever', () => {
  const clock = { ms: 0 };
  const it = attribution(fakeProc({ 500: [500, 1] }), clock);
  clock.ms = 5;
  const life = [newtask(500, 501, 0x4111), exec(501, '/usr/bin/ls'), exit(501, 'ls')];
  expect(it.attribute(life)).toEqual([]);
  const late = it.attribute([cloned(500, 7)]);
  expect(late.map(({ body }) => [body.type, 'event' in body && body.event.pid])).toEqual([
    ['kernel.fork', 1],
    ['kernel.exec', 7],
    ['kernel.exit', 7],
  ]);
  expect(it.attribute([newtask(500, 502, 0x4111), exec(502, '/usr/bin/ls')])).toEqual([]);
  clock.ms = 5 + HOLD_MS;
  expect(it.attribute([])).toHaveLength(2);
});

test('a process that was looked at is not made less known by the record of its birth that comes late', () => {
  const it = attribution(fakeProc({ 500: [500, 1], 900: [900] }, { 900: '/' }));
  it.attribute([newtask(900, 500)]); // from outside: by its birth alone, 500 would not be in the machine's pid namespace
  expect(it.attribute([newtask(500, 501), cloned(500, 7)])[0]?.body).toMatchObject({ event: { pid: 1, childPid: 7 } });
});

test('who is followed before it enters the machine is known as a member from its first exec inside', () => {
  const living: Record<number, readonly number[]> = { 500: [500, 1], 600: [600] };
  const it = attribution(fakeProc(living));
  it.adopt('m1', [600]);
  living[601] = [601, 30];
  it.attribute([newtask(600, 601), exec(601, '/bin/bash')]);
  const events = it.attribute([newtask(601, 602), cloned(601, 31), exec(602, '/bin/ls'), exit(602, 'ls')]);
  expect(events.map(({ body }) => 'event' in body && body.event.pid)).toEqual([30, 31, 31]);
});

test('on the way into the machine, programs of the host are told by name, without the host’s paths', () => {
  const living: Record<number, readonly number[]> = { 500: [500, 1], 600: [600], 601: [601] };
  const it = attribution(fakeProc(living));
  it.adopt('m1', [600]);
  const filenames = (...records: TraceRecord[]) =>
    it.attribute(records).flatMap(({ body }) => (body.type === 'kernel.exec' ? [body.event.filename] : []));
  expect(filenames(exec(600, '/srv/lab/bin/runc'), newtask(600, 601), exec(601, '/srv/lab/build/launcher'))).toEqual(['runc', 'launcher']);
  // Gone before anybody looked: it began outside, so outside it stays.
  expect(filenames(newtask(601, 602), exec(602, '/srv/lab/helper'), exit(602, 'helper'))).toEqual(['helper']);
  living[603] = [603, 30];
  expect(filenames(newtask(601, 603), exec(603, '/bin/bash'))).toEqual(['/bin/bash']);
  expect(filenames(newtask(603, 604), cloned(603, 31), exec(604, '/usr/bin/ls'), exit(604, 'ls'))).toEqual(['/usr/bin/ls']);
});

test('the records of a very busy moment are attributed as those of any other', () => {
  const it = attribution(fakeProc({ 500: [500, 1] }));
  const calls = Array.from({ length: 200_000 }, (): TraceRecord => ({ type: 'syscall', atMs: 1, pid: 500, syscall: 'kill', args: {} }));
  expect(it.attribute(calls)).toHaveLength(200_000);
});

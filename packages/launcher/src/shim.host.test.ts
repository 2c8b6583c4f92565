/** The shim: what it passes on, what it keeps, and whom it outlives. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { createLauncher } from './native-launcher.ts';
import { attachShim, readExit, readPid, type ShimConnection } from './shim-client.ts';
import { encodeFrame, FrameType } from './shim-frames.ts';
import { buildNative, isAlive, makeRig, openStart, type Rig, shimOptions, standardPlan } from './testing/rig.ts';

const launcher = createLauncher();
let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
});
afterAll(() => rig[Symbol.dispose]());

type ShimMore = Parameters<typeof shimOptions>[1];

/** A process that waits for its start, so that a test can attach first. */
async function created(args: readonly string[], more: ShimMore = {}) {
  const dir = rig.shimDir();
  const startFifo = rig.fifo();
  const plan = standardPlan({ rootfs: rig.rootfs, args, terminal: more.terminal ?? false, awaitStart: true });
  const launched = await launcher.launch(plan, { ...shimOptions(dir, { logPath: join(dir, 'log'), ...more }), startFifo });
  return { dir, startFifo, ...launched };
}

function collect(connection: ShimConnection): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  connection.onOutput((stream, bytes) => {
    output[stream] += Buffer.from(bytes).toString('latin1');
  });
  return output;
}

const logLines = (dir: string) =>
  readFileSync(join(dir, 'log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /, ''));

hostTest(
  'the log is in the CRI format: streams, whole lines, pieces of long ones, and a last line without end',
  ['linux', 'root'],
  async () => {
    const { dir, startFifo } = await created([
      'sh',
      '-c',
      'echo one; echo two >&2; head -c 20000 /dev/zero | tr "\\0" x; echo; printf three',
    ]);
    openStart(startFifo);
    await expect.poll(() => existsSync(join(dir, 'exit.json'))).toBe(true);
    const lines = logLines(dir).toSorted();
    expect(lines.map((line) => [line.slice(0, 9), line.length - 9])).toEqual([
      ['stderr F ', 3],
      ['stdout F ', 3],
      ['stdout F ', 20000 - 16384],
      ['stdout P ', 5],
      ['stdout P ', 16384],
    ]);
  },
);

hostTest('the log is rotated once beyond its limit, between lines', ['linux', 'root'], async () => {
  const { dir, startFifo } = await created(['seq', '1', '2000'], { logMaxBytes: 65536 });
  openStart(startFifo);
  await expect.poll(() => existsSync(join(dir, 'exit.json'))).toBe(true);
  const both = readFileSync(join(dir, 'log.1'), 'utf8') + readFileSync(join(dir, 'log'), 'utf8');
  const numbers = both
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split(' ')[3]));
  expect(numbers.at(-1)).toBe(2000);
  expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
});

hostTest('attached clients get every byte from the start, in order, and the exit', ['linux', 'root'], async () => {
  const { dir, startFifo, pid, shimPid } = await created(['sh', '-c', 'echo out; echo err >&2; seq 1 20000; exit 3']);
  const connections = [await attachShim(dir), await attachShim(dir)];
  const watcher = await attachShim(dir, { output: false });
  const outputs = connections.map(collect);
  await expect(readPid(dir)).resolves.toMatchObject({ pid, shimPid });
  openStart(startFifo);
  for (const { exit } of [...connections, watcher])
    await expect(exit).resolves.toMatchObject({ pid, exitCode: 3, signal: 0, oomKilled: false });
  const numbers = Array.from({ length: 20000 }, (_, i) => `${i + 1}\n`).join('');
  for (const output of outputs) expect(output).toEqual({ stdout: `out\n${numbers}`, stderr: 'err\n' });
  await expect(readExit(dir)).resolves.toMatchObject({ exitCode: 3 });
  await expect.poll(() => isAlive(shimPid ?? 0)).toBe(false);
  expect(readdirSync(dir).toSorted()).toEqual(['exit.json', 'log', 'pid.json']);
  await expect(attachShim(dir)).rejects.toMatchObject({ code: 'E_SHIM_GONE' });
});

// A socket without a file could be reached from every container that shares the host's network.
// @attack A53: attack, control
hostTest(
  'a shim listens on one socket, a file that only its owner reaches, in a directory of the same kind',
  ['linux', 'root'],
  async () => {
    const sockets = () => readFileSync('/proc/net/unix', 'utf8').split('\n');
    const { dir, startFifo } = await created(['sleep', '100']);
    openStart(startFifo);
    const { shimPid, pid } = JSON.parse(readFileSync(join(dir, 'pid.json'), 'utf8'));
    const inodes = readdirSync(`/proc/${shimPid}/fd`).flatMap((fd) => {
      const target = readlinkSync(`/proc/${shimPid}/fd/${fd}`);
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
    });
    const named = sockets().filter((line) => inodes.includes(line.split(/\s+/)[6] ?? '') && line.split(/\s+/)[7] !== undefined);

    expect(named.map((line) => line.split(/\s+/)[7])).toEqual([expect.stringMatching(/^\/.*\/shim\.sock$/)]);
    expect([statSync(join(dir, 'shim.sock')).mode & 0o777, statSync(dir).mode & 0o777]).toEqual([0o600, 0o700]);
    // The control: one without a file is told apart.
    const bare = createServer().listen('\0slipway-bare');
    await once(bare, 'listening');
    expect(sockets().some((line) => line.endsWith(' @slipway-bare'))).toBe(true);
    bare.close();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => existsSync(join(dir, 'exit.json'))).toBe(true);
  },
);

// @attack A53: twin
hostTest('stdin reaches the process, more than a pipe holds, and ends when told', ['linux', 'root'], async () => {
  const { dir, startFifo } = await created(['sh', '-c', 'sleep 0.2; wc -c'], { openStdin: true });
  const connection = await attachShim(dir);
  const output = collect(connection);
  openStart(startFifo);
  await connection.write(new Uint8Array(300_000));
  connection.closeStdin();
  await connection.exit;
  expect(output.stdout.trim()).toBe('300000');
});

hostTest('with stdinOnce, stdin ends when the client that wrote goes away', ['linux', 'root'], async () => {
  const { dir, startFifo } = await created(['cat'], { openStdin: true, stdinOnce: true });
  const writer = await attachShim(dir, { output: false });
  const reader = await attachShim(dir);
  const output = collect(reader);
  openStart(startFifo);
  await writer.write(Buffer.from('bye\n'));
  await expect.poll(() => output.stdout).toBe('bye\n');
  writer.close();
  await expect(reader.exit).resolves.toMatchObject({ exitCode: 0 });
});

hostTest('a terminal echoes, is resized, and passes signals of the keyboard', ['linux', 'root'], async () => {
  const { dir, startFifo } = await created(['sh'], { terminal: true });
  const connection = await attachShim(dir);
  const output = collect(connection);
  connection.resize(33, 111);
  openStart(startFifo);
  await connection.write(Buffer.from('stty size; sleep 100\n'));
  await expect.poll(() => output.stdout).toContain('33 111');
  await connection.write(Buffer.from('\x03'));
  await connection.write(Buffer.from('exit 9\n'));
  await expect(connection.exit).resolves.toMatchObject({ exitCode: 9 });
  expect(logLines(dir).join('\n')).toContain('33 111');
});

hostTest('a starter killed -9 does not matter: output goes on and the exit is recorded', ['linux', 'root'], async () => {
  const dir = rig.shimDir();
  const script = `
    import { createLauncher } from '${new URL('./index.ts', import.meta.url).pathname}';
    const [plan, options] = JSON.parse(process.argv[1]);
    await createLauncher().launch(plan, options);
    process.kill(process.pid, 'SIGKILL');`;
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['sh', '-c', 'sleep 0.3; echo later; exit 42'] });
  const argument = JSON.stringify([plan, shimOptions(dir, { logPath: join(dir, 'log') })]);
  expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', script, argument], { stdio: 'ignore' })).toThrow('SIGKILL');
  expect(await readExit(dir)).toBeUndefined();
  await expect.poll(() => readExit(dir), { timeout: 5000 }).toMatchObject({ exitCode: 42 });
  expect(logLines(dir)).toEqual(['stdout F later']);
});

hostTest('a client that does not read holds the container back, and is dropped after ten seconds', ['linux', 'root'], async () => {
  const { dir, startFifo } = await created(['sh', '-c', 'yes | head -c 3000000; echo done'], { logMaxBytes: 1 << 20 });
  const lazy = createConnection(join(dir, 'shim.sock'));
  lazy.pause();
  lazy.write(encodeFrame(FrameType.attach, Uint8Array.of(1)));
  const watcher = await attachShim(dir, { output: false });
  const started = performance.now();
  openStart(startFifo);
  await watcher.exit;
  expect(performance.now() - started).toBeGreaterThan(9000);
  expect(performance.now() - started).toBeLessThan(13_000);
  expect(logLines(dir).at(-1)).toBe('stdout F done');
  lazy.destroy();
});

hostTest('a client that talks nonsense is dropped; the others do not notice', ['linux', 'root'], async () => {
  const { dir, startFifo } = await created(['cat'], { openStdin: true });
  const good = await attachShim(dir);
  const output = collect(good);
  const bad = createConnection(join(dir, 'shim.sock'));
  bad.on('error', () => undefined);
  const closed = new Promise((resolve) => bad.on('close', resolve));
  bad.resume();
  bad.write(Buffer.from([FrameType.resize, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
  await closed;
  openStart(startFifo);
  await good.write(Buffer.from('still here'));
  good.closeStdin();
  await good.exit;
  expect(output.stdout).toBe('still here');
});

hostTest('a grandchild that holds the pipe keeps the shim for a moment only', ['linux', 'root'], async () => {
  const dir = rig.shimDir();
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['sh', '-c', 'sleep 3 & echo out; exit 4'] });
  const samePids = plan.operations.map((each) =>
    each.op === 'clone' ? { ...each, namespaces: ['mount', 'uts', 'network', 'ipc'] as const } : each,
  );
  // Without a pid namespace, orphans live on when the first process ends.
  const { shimPid } = await launcher.launch({ operations: samePids }, shimOptions(dir, { logPath: join(dir, 'log') }));
  const started = performance.now();
  await expect.poll(() => isAlive(shimPid ?? 0)).toBe(false);
  expect(performance.now() - started).toBeLessThan(1500);
  await expect(readExit(dir)).resolves.toMatchObject({ exitCode: 4 });
  expect(logLines(dir)).toEqual(['stdout F out']);
});

hostTest('a process killed by a signal is recorded with it', ['linux', 'root'], async () => {
  const killed = await created(['sleep', '100']);
  openStart(killed.startFifo);
  process.kill(killed.pid, 'SIGKILL');
  await expect.poll(() => readExit(killed.dir)).toMatchObject({ exitCode: 137, signal: 9 });
});

hostTest('a thousand quick exits give a thousand right codes and leave no process', ['linux', 'root'], async () => {
  const plain = (code: number) => {
    const plan = standardPlan({ rootfs: rig.rootfs, args: ['sh', '-c', `exit ${code}`] });
    const skipped = new Set(['mount', 'device', 'symlink', 'loopbackUp']);
    const kinds = ['mount', 'pid'] as const;
    return {
      operations: plan.operations
        .filter(({ op }) => !skipped.has(op))
        .map((each) => (each.op === 'clone' ? { ...each, namespaces: kinds } : each))
        .filter(({ op }) => op !== 'hostname'),
    };
  };
  const shims: number[] = [];
  const wrong: string[] = [];
  const one = async (i: number) => {
    const dir = rig.shimDir();
    const { shimPid } = await launcher.launch(plain(i % 256), shimOptions(dir));
    shims.push(shimPid ?? 0);
    const exit = await attachShim(dir, { output: false })
      .then(({ exit }) => exit)
      .catch(() => readExit(dir));
    if (exit?.exitCode !== i % 256) wrong.push(`${i}: ${JSON.stringify(exit)}`);
  };
  for (let i = 0; i < 1000; i += 20) await Promise.all(Array.from({ length: 20 }, (_, k) => one(i + k)));
  expect(wrong).toEqual([]);
  await expect.poll(() => shims.filter(isAlive)).toEqual([]);
});

hostTest('a shim takes at most 1 MiB of memory, alone', ['linux', 'root'], async () => {
  const dir = rig.shimDir();
  const { pid, shimPid } = await createLauncher().launch(
    standardPlan({ rootfs: rig.rootfs, args: ['sleep', '100'] }),
    shimOptions(dir, { logPath: join(dir, 'log') }),
  );
  const connection = await attachShim(dir);
  collect(connection);
  const pss = Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${shimPid}/smaps_rollup`, 'utf8'))?.[1]);
  process.kill(pid, 'SIGKILL');
  await connection.exit;
  expect(pss).toBeGreaterThan(0);
  expect(pss).toBeLessThanOrEqual(1024);
});

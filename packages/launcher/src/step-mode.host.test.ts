/** Step mode and failures: what a launch that does not go all the way leaves, which is nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hasCode } from '@slipway/errors';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Launched, LaunchFailure, LaunchOptions } from './launcher.ts';
import { createLauncher } from './native-launcher.ts';
import type { Plan } from './operations.ts';
import { buildNative, isAlive, launchTraces, makeRig, openStart, ours, type Rig, shimOptions, standardPlan, step } from './testing/rig.ts';

const launcher = createLauncher();
let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
});
afterAll(() => rig[Symbol.dispose]());

const traces = () => launchTraces(rig);

async function failing(plan: Plan, options: LaunchOptions, from = launcher): Promise<{ error: Error; failure: LaunchFailure }> {
  const error = await from.launch(plan, options).then(
    (launched) => {
      process.kill(launched.pid, 'SIGKILL');
      throw new Error('the launch succeeded');
    },
    (caught: unknown) => caught as Error,
  );
  return { error, failure: error.cause as LaunchFailure };
}

hostTest('a stop shows the half-born container; step stops again at the next operation', ['linux', 'root'], async () => {
  const dir = rig.shimDir();
  const startFifo = rig.fifo();
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['true'], awaitStart: true });
  const pivot = plan.operations.findIndex(({ op }) => op === 'pivotRoot');
  const stops: Array<{ index: number; hostVisible: boolean }> = [];
  await launcher.launch(plan, {
    ...shimOptions(dir),
    startFifo,
    breakpoints: [0, pivot],
    onStop: async ({ index, pid }) => {
      stops.push({ index, hostVisible: pid > 0 && existsSync(`/proc/${pid}/root/work`) });
      return index === pivot ? 'step' : 'continue';
    },
  });
  openStart(startFifo);
  expect(stops).toEqual([
    { index: 0, hostVisible: false },
    { index: pivot, hostVisible: existsSync('/work') },
    { index: pivot + 1, hostVisible: false },
  ]);
  await expect.poll(() => existsSync(`${dir}/exit.json`)).toBe(true);
});

hostTest('skipping an operation leaves it out, and its record says so', ['linux', 'root'], async () => {
  const dir = rig.shimDir();
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['sh', '-c', 'hostname'] });
  const index = plan.operations.findIndex(({ op }) => op === 'hostname');
  const skipped: number[] = [];
  await launcher.launch(plan, {
    ...shimOptions(dir, { logPath: `${dir}/log` }),
    breakpoints: [index],
    onStop: () => Promise.resolve('skip'),
    onRecord: (record) => record.skipped && skipped.push(record.index),
  });
  await expect.poll(() => existsSync(`${dir}/exit.json`)).toBe(true);
  expect(skipped).toEqual([index]);
  expect(readFileSync(`${dir}/log`, 'utf8')).toContain(` ${execFileSync('hostname', { encoding: 'utf8' })}`);
});

hostTest('abort, a throwing onStop and a timeout end the launch without a trace', ['linux', 'root'], async () => {
  // The shim of the test before may still be on its way out.
  await expect.poll(() => traces().children).toEqual([]);
  const before = traces();
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['true'] });
  let halfBorn = 0;
  const abort = async ({ pid }: { readonly pid: number }) => {
    halfBorn = pid;
    return 'abort' as const;
  };
  const outcomes = [
    { code: 'E_LAUNCH_ABORTED', more: { onStop: abort } },
    { code: 'E_LAUNCH_TIMEOUT', more: { timeoutMs: 100, onStop: () => new Promise<never>(() => undefined) } },
  ] as const;
  for (const { code, more } of outcomes) {
    const { error } = await failing(plan, { ...shimOptions(rig.shimDir()), breakpoints: [10], ...more });
    expect(hasCode(error, code), String(error)).toBe(true);
  }
  const thrown = await failing(plan, {
    ...shimOptions(rig.shimDir()),
    breakpoints: [10],
    onStop: () => Promise.reject(new Error('no idea')),
  });
  expect(thrown.error.message).toBe('no idea');
  expect(isAlive(halfBorn)).toBe(false);
  await expect.poll(traces).toEqual(before);
});

hostTest('a starter that dies in the middle takes the half-born container with it', ['linux', 'root'], async () => {
  const script = `
    import { createLauncher } from '${new URL('./index.ts', import.meta.url).pathname}';
    const [plan, dir] = JSON.parse(process.argv[1]);
    await createLauncher().launch(plan, {
      supervision: { mode: 'shim', dir, terminal: false, openStdin: false, stdinOnce: false, logMaxBytes: 0 },
      breakpoints: [12],
      onStop: ({ pid }) => { process.stdout.write(String(pid)); process.kill(process.pid, 'SIGKILL'); return new Promise(() => undefined); },
    });`;
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['sleep', '100'] });
  const argument = JSON.stringify([plan, rig.shimDir()]);
  let output = '';
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script, argument], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const pid = Number(output);
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isAlive(pid)).toBe(false);
});

hostTest('an executable that is missing or not executable has an error of its own', ['linux', 'root'], async () => {
  const missing = await failing(standardPlan({ rootfs: rig.rootfs, args: ['no-such'] }), shimOptions(rig.shimDir()));
  expect(missing.error).toMatchObject({
    kind: 'invalid-argument',
    code: 'E_COMMAND_NOT_FOUND',
    subject: '/process/args/0',
    message: 'executable "no-such" not found',
  });
  const plain = await failing(standardPlan({ rootfs: rig.rootfs, args: ['/etc'] }), shimOptions(rig.shimDir()));
  expect(plain.error).toMatchObject({ code: 'E_COMMAND_NOT_EXECUTABLE' });
});

hostTest('a missing bind source, a bad plan and a missing program are named', ['linux', 'root'], async () => {
  const source = step('prepare', { op: 'openSource', slot: 0, hostPath: '/no/such/source', recursive: true }, '/mounts/3/source');
  const { error } = await failing(standardPlan({ rootfs: rig.rootfs, args: ['true'], prepare: [source] }), shimOptions(rig.shimDir()));
  expect(error).toMatchObject({
    code: 'E_LAUNCH_MISSING',
    subject: '/mounts/3/source',
    message: expect.stringContaining('/no/such/source'),
  });

  const unordered = { operations: standardPlan({ rootfs: rig.rootfs, args: ['true'] }).operations.toReversed() };
  expect((await failing(unordered, shimOptions(rig.shimDir()))).failure).toMatchObject({ call: 'plan' });

  const nobody = createLauncher({ binary: '/no/such/launcher' });
  expect((await failing(standardPlan({ rootfs: rig.rootfs, args: ['true'] }), shimOptions(rig.shimDir()), nobody)).error).toMatchObject({
    code: 'E_LAUNCH_NO_BINARY',
  });
});

hostTest('nothing that mounts is performed outside a mount namespace of its own', ['linux', 'root'], async () => {
  const mounts = () => ours(readFileSync('/proc/self/mountinfo', 'utf8'), rig.dir);
  const before = mounts();
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['true'] });
  const shared = { operations: plan.operations.map((each) => (each.op === 'clone' ? { ...each, namespaces: ['uts' as const] } : each)) };
  expect((await failing(shared, shimOptions(rig.shimDir()))).failure).toMatchObject({ call: 'plan' });
  expect(mounts()).toEqual(before);
});

// @attack A03: attack
hostTest('the payload holds no descriptor but its streams and those asked for', ['linux', 'root'], async () => {
  const dir = rig.shimDir();
  const startFifo = rig.fifo();
  const launched: Launched = await launcher.launch(standardPlan({ rootfs: rig.rootfs, args: ['sleep', '100'], awaitStart: true }), {
    ...shimOptions(dir),
    startFifo,
  });
  const targets = () => readdirSync(`/proc/${launched.pid}/fd`).map((fd) => readlinkSync(`/proc/${launched.pid}/fd/${fd}`));
  // Before the start: only descriptors that close on exec, and no host directory among them.
  for (const target of targets()) expect(target).toMatch(/^(pipe:|socket:|\/dev\/null|\/proc$|\/$|.*fifo-\d+$|\/memfd:)/);
  openStart(startFifo);
  await expect.poll(() => targets().length).toBe(3);
  expect(targets().map((target) => target.split(':')[0])).toEqual(['/dev/null', 'pipe', 'pipe']);
  process.kill(launched.pid, 'SIGKILL');
  await expect.poll(() => existsSync(`${dir}/exit.json`)).toBe(true);
});

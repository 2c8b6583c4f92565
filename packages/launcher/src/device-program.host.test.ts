/** The operation `deviceProgram` in a birth. What programs mean is tested where they are made (packages/cgroups, packages/runtime). */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { createLauncher } from './native-launcher.ts';
import { buildNative, makeRig, type Rig, runToEnd, shimOptions, standardPlan, step } from './testing/rig.ts';

const launcher = createLauncher();
let rig: Rig;
let group: string;

beforeAll(() => {
  buildNative();
  rig = makeRig();
  const mount = readFileSync('/proc/self/mountinfo', 'utf8').match(/^\d+ \d+ \S+ \S+ (\S+) .* - cgroup2 /m)?.[1];
  group = `${mount}/slipway-launcher-test-${process.pid}`;
  mkdirSync(group);
});
afterAll(async () => {
  rig[Symbol.dispose]();
  await vi.waitFor(() => expect(tryRemove(group)).toBe(true), { timeout: 30_000 });
});

/** Waits for processes that are dying. */
function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

/** `return verdict` in extended BPF. */
const always = (verdict: 0 | 1) => Uint8Array.of(0xb7, 0, 0, 0, verdict, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
const guarded = (program: Uint8Array) => [
  step('identity', { op: 'deviceProgram', cgroup: group, program }, '/linux/resources/devices'),
  step('identity', { op: 'joinCgroup', procsFiles: [`${group}/cgroup.procs`] }),
];

hostTest('a device program holds from the first instruction of a birth', ['linux', 'root', 'cgroup2'], async () => {
  const denied = launcher.launch(
    standardPlan({ rootfs: rig.rootfs, args: ['true'], identity: guarded(always(0)) }),
    shimOptions(rig.shimDir()),
  );
  await expect(denied).rejects.toThrow(expect.objectContaining({ cause: expect.objectContaining({ op: 'device', call: 'mknodat' }) }));

  const { exitCode } = await runToEnd(launcher, rig, { args: ['sh', '-c', ': </dev/null'], identity: guarded(always(1)) });
  expect(exitCode).toBe(0);
});

hostTest('a program that the kernel does not take fails the birth, naming the rules', ['linux', 'root', 'cgroup2'], async () => {
  const endless = Uint8Array.of(0x05, 0, 0xff, 0xff, 0, 0, 0, 0);
  const launch = launcher.launch(
    standardPlan({ rootfs: rig.rootfs, args: ['true'], identity: guarded(endless) }),
    shimOptions(rig.shimDir()),
  );
  await expect(launch).rejects.toThrow(expect.objectContaining({ subject: '/linux/resources/devices', code: 'E_LAUNCH_INVALID' }));
  expect(readFileSync(`${group}/cgroup.procs`, 'utf8')).toBe('');
});

hostTest('a device program that fails, or is killed, leaves no process in the group', ['linux', 'root', 'cgroup2'], async () => {
  const binary = buildNative('test');
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['true'], identity: guarded(always(1)) });
  for (const way of ['error', 'kill']) {
    const failing = createLauncher({ binary, failpoint: `deviceProgram:${way}` });
    await expect(failing.launch(plan, shimOptions(rig.shimDir())), way).rejects.toThrow(/deviceProgram|ended with SIG/);
    await vi.waitFor(() => expect(readFileSync(`${group}/cgroup.procs`, 'utf8')).toBe(''), { timeout: 30_000 });
  }
});

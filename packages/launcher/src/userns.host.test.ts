/** Containers in user namespaces of their own, and the launcher itself as root of one: a lab machine's point of view. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { createLauncher } from './native-launcher.ts';
import type { Operation, Plan } from './operations.ts';
import { readExit } from './shim-client.ts';
import { buildNative, isAlive, makeRig, type Rig, shimOptions, standardPlan, step } from './testing/rig.ts';

const launcher = createLauncher();
const FIRST_ID = 300_000;
const MAP = [{ containerId: 0, hostId: FIRST_ID, size: 65_536 }];
let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
  execFileSync('chown', ['-R', '-h', `${FIRST_ID}:${FIRST_ID}`, rig.rootfs]);
});
afterAll(() => rig[Symbol.dispose]());

/** The standard plan with a user namespace: devices are bound, not made. */
function userPlan(args: readonly string[], extra: readonly Operation[] = [], prepare: readonly Operation[] = []): Plan {
  const standard = standardPlan({ rootfs: rig.rootfs, args, mounts: extra }).operations;
  const paths = standard.flatMap((each) => (each.op === 'device' ? [each.path] : []));
  const sources = paths.map((hostPath, slot) => step('prepare', { op: 'openSource', slot, hostPath, recursive: false }));
  const inside = standard.map((each): Operation => {
    if (each.op === 'clone') return { ...each, namespaces: [...each.namespaces, 'user'] };
    return each.op === 'device' ? step('devices', { op: 'bindDevice', path: each.path, slot: paths.indexOf(each.path) }) : each;
  });
  const at = inside.findIndex(({ op }) => op === 'clone');
  return {
    operations: [
      ...inside.slice(0, at),
      ...sources,
      ...prepare,
      ...inside.slice(at, at + 1),
      step('identity', { op: 'idmap', uid: MAP, gid: MAP, denySetgroups: false }),
      step('mounts', { op: 'becomeRoot' }),
      ...inside.slice(at + 1),
    ],
  };
}

const logged = (dir: string) =>
  readFileSync(join(dir, 'log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').slice(3).join(' '));

/** Runs a command as root of a new user namespace, as in a lab machine; its standard output. */
async function asNamespaceRoot(command: readonly string[]): Promise<string> {
  const enter = ['sh', '-c', 'echo ready; read go; exec setpriv --reuid 0 --regid 0 --clear-groups "$@"', 'sh', ...command];
  const child = spawn('unshare', ['--user', '--mount', '--net', '--keep-caps', ...enter], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += String(bytes);
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await expect.poll(() => output).toBe('ready\n');
  for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${file}`, `0 ${FIRST_ID} 65536\n`);
  child.stdin.end('go\n');
  await ended;
  return output.slice('ready\n'.length);
}

hostTest('root of a user namespace is nobody outside, and has its devices', ['linux', 'root', 'user-namespaces'], async () => {
  const dir = rig.shimDir();
  const script =
    "id -u; echo hi > /dev/null && stat -c '%t:%T' /dev/null; cat /proc/self/uid_map | od -An -c | wc -c; touch /made; sleep 1";
  const { pid } = await launcher.launch(userPlan(['sh', '-c', script]), shimOptions(dir, { logPath: join(dir, 'log') }));
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\t${FIRST_ID}\\t`, 'm'));
  await expect.poll(() => readExit(dir), { timeout: 5000 }).toMatchObject({ exitCode: 0 });
  expect(logged(dir).slice(0, 2)).toEqual(['0', '1:3']);
  expect(existsSync(join(rig.rootfs, 'made'))).toBe(true);
});

hostTest('masks hold in a user namespace', ['linux', 'root', 'user-namespaces'], async () => {
  const dir = rig.shimDir();
  const masks = ['/proc/keys', '/proc/timer_list', '/sys/firmware'].map((path) => step('root', { op: 'mask', path }));
  await launcher.launch(
    userPlan(['sh', '-c', 'cat /proc/keys /proc/timer_list; ls -A /sys/firmware; echo end'], masks),
    shimOptions(dir, { logPath: join(dir, 'log') }),
  );
  await expect.poll(() => readExit(dir), { timeout: 5000 }).toBeDefined();
  expect(logged(dir)).toEqual(['end']);
});

hostTest('root of a user namespace cannot undo what a bind was limited to', ['linux', 'root', 'user-namespaces'], async () => {
  const dir = rig.shimDir();
  const source = join(rig.dir, 'read-only');
  mkdirSync(source);
  chmodSync(source, 0o777);
  const script =
    'touch /ro/a; mount -o remount,rw,bind /ro && echo remounted; touch /ro/b; touch /rw/c && echo written; cat /ro/../etc/name';
  writeFileSync(join(rig.rootfs, 'etc/name'), 'the root is the root\n');
  const plan = userPlan(
    ['sh', '-c', script],
    [
      step('mounts', { op: 'bind', slot: 100, destination: '/ro', attributes: { readOnly: true, noSuid: true } }),
      step('mounts', { op: 'bind', slot: 101, destination: '/rw', attributes: {} }),
    ],
    [100, 101].map((slot) => step('prepare', { op: 'openSource', slot, hostPath: source, recursive: true })),
  );
  const before = readlinkSync('/proc/self/ns/mnt');
  const { shimPid } = await launcher.launch(plan, shimOptions(dir, { logPath: join(dir, 'log') }));
  const shimMounts = isAlive(shimPid ?? 0) ? readlinkSync(`/proc/${shimPid}/ns/mnt`) : before;
  expect(shimMounts).toBe(before);
  await expect.poll(() => readExit(dir), { timeout: 5000 }).toBeDefined();
  // What fails is said on the other stream, which the log has in an order of its own.
  expect(logged(dir)).toEqual(expect.arrayContaining(['written', 'the root is the root']));
  expect(logged(dir)).not.toContain('remounted');
  expect(readdirSync(source)).toEqual(['c']);
});

hostTest('the launcher works as root of a user namespace, and can nest another', ['linux', 'root', 'user-namespaces'], async () => {
  const dir = rig.shimDir();
  const inner = rig.shimDir();
  for (const path of [dir, inner, rig.dir]) chownSync(path, FIRST_ID, FIRST_ID);
  const script = `
    import { createLauncher } from '${new URL('./index.ts', import.meta.url).pathname}';
    const [plan, options] = JSON.parse(process.argv[1]);
    const { pid, shimPid } = await createLauncher().launch(plan, options);
    process.stdout.write(JSON.stringify({ pid, shimPid }));
    await new Promise((resolve) => setTimeout(resolve, 700));`;
  const nested = userPlan(['sh', '-c', 'id -u; hostname; ls /dev/null; touch /nested']);
  const half = nested.operations.map((each) =>
    each.op === 'idmap'
      ? { ...each, uid: [{ containerId: 0, hostId: 0, size: 1000 }], gid: [{ containerId: 0, hostId: 0, size: 1000 }] }
      : each,
  );
  const argument = JSON.stringify([{ operations: half }, shimOptions(inner, { logPath: join(inner, 'log') })]);
  const output = await asNamespaceRoot([process.execPath, '--input-type=module', '-e', script, argument]);
  expect(JSON.parse(output)).toMatchObject({ pid: expect.any(Number) });
  expect(logged(inner)).toEqual(['0', 'box', '/dev/null']);
  await expect(readExit(inner)).resolves.toMatchObject({ exitCode: 0 });
});

/** As a user without rights, makes keyrings and keeps them; prints how many, and the errno at which it ended. */
const HOARDER = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.setuid(${FIRST_ID})
made = 0
while made < 300 and libc.syscall(${process.arch === 'x64' ? 248 : 217}, b'keyring', b'hoard-%d' % made, None, 0, -2) > 0: made += 1
print(made, ctypes.get_errno())`;
const EDQUOT = 122;

// @attack A26: attack, control
hostTest('three hundred births of one user, who may have two hundred keys, end none for want of them', ['linux', 'root'], async () => {
  const keysOf = () => new RegExp(`^ *${FIRST_ID}: +(\\d+)`, 'm').exec(readFileSync('/proc/key-users', 'utf8'))?.[1];
  const plan = userPlan(['sleep', '1000'], [step('mounts', { op: 'sessionKeyring', name: 'x' })]);
  for (let birth = 0; birth < 300; birth++) {
    const { pid } = await launcher.launch(plan, shimOptions(rig.shimDir()));
    if (birth === 0) expect(Number(keysOf())).toBeGreaterThan(0);
    process.kill(pid, 'SIGKILL');
  }
  // The control: who keeps them runs into the quota.
  const [made, errno] = execFileSync('python3', ['-c', HOARDER], { encoding: 'utf8' }).trim().split(' ').map(Number);
  expect(made).toBeLessThan(300);
  expect(errno).toBe(EDQUOT);
});

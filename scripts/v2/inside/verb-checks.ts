/**
 * The command line's small program on v2: the verbs that need no Node read and write `cgroup.freeze` here, where v1 has `freezer.state`.
 *
 * Knows: that it becomes what its first word says where a verb is not its own: /bin/false tells that it did.
 * Does not know: how a container is made (bin/runc does).
 */
import { deepEqual, equal } from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { defaultSpec, formatSpecJson } from '@slipway/oci';
import { CHECKOUT, check, control, type Outcome, run, until } from './report.ts';

const BUNDLE = '/run/check-verbs';
const ROOT = `${BUNDLE}/state`;
const GROUP = '/sys/fs/cgroup/check-verbs/one';
const SMALL = `${CHECKOUT}/apps/cli/native/build/slipway-verbs`;

const runc = (...args: readonly string[]) =>
  run('sh', '-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh', `${CHECKOUT}/bin/runc`, '--root', ROOT, ...args);
const alone = (...args: readonly string[]): Promise<Outcome> => run(SMALL, '/bin/false', 'start.cjs', 'runc', '--root', ROOT, ...args);

const codeOf = async (outcome: Promise<Outcome>) => (await outcome).code;
const stateOf = async () => JSON.parse((await alone('state', 'one')).stdout).status;

export async function checkVerbs(): Promise<void> {
  const { stdout: busybox } = await run('sh', '-c', 'command -v busybox');
  makeBundle(busybox);
  await check('a container is started, looked at and thawed without Node; freezing it is left to Node', async () => {
    equal(await codeOf(runc('create', '--bundle', BUNDLE, 'one')), 0);
    equal(await stateOf(), 'created');
    deepEqual([await codeOf(alone('resume', 'one')), await codeOf(alone('start', 'one')), await stateOf()], [1, 0, 'running']);
    equal(await codeOf(alone('pause', 'one')), 1);
    writeFileSync(`${GROUP}/cgroup.freeze`, '1');
    await until('it stands still', () => /frozen 1/.test(control(GROUP, 'cgroup.events')));
    equal(await stateOf(), 'paused');
    deepEqual([await codeOf(alone('kill', 'one', 'TERM')), await codeOf(alone('resume', 'one')), await stateOf()], [1, 0, 'running']);
    equal(control(GROUP, 'cgroup.freeze'), '0');
    await until('it goes on', () => /frozen 0/.test(control(GROUP, 'cgroup.events')));
  });
  await check('and killed and deleted without Node, its group too', async () => {
    equal(await codeOf(alone('kill', 'one', 'KILL')), 0);
    await until('its end', async () => (await stateOf()) === 'stopped');
    equal(await codeOf(alone('delete', 'one')), 0);
    deepEqual([existsSync(GROUP), existsSync(`${ROOT}/one`)], [false, false]);
  });
}

function makeBundle(busybox: string): void {
  const bin = `${BUNDLE}/rootfs/bin`;
  const spec = defaultSpec();
  for (const name of ['bin', 'proc', 'dev', 'sys']) mkdirSync(`${BUNDLE}/rootfs/${name}`, { recursive: true });
  copyFileSync(busybox, `${bin}/busybox`);
  chmodSync(`${bin}/busybox`, 0o755);
  symlinkSync('busybox', `${bin}/sleep`);
  const process = { ...spec.process, cwd: spec.process?.cwd ?? '/', terminal: false, args: ['sleep', '1000'] };
  writeFileSync(`${BUNDLE}/config.json`, formatSpecJson({ ...spec, process, linux: { ...spec.linux, cgroupsPath: '/check-verbs/one' } }));
}

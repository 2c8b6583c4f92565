/** What processes of a container have, whole: any change of it is a reviewed edit here. And what reaches, or sees, the host on the way. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLauncher } from '@slipway/launcher';
import { createRuntime } from '@slipway/runtime';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { eventually, OURS, OURS_AND_RUNC, TestRuntime } from './testing/test-runtime.ts';

/** Of the document that `spec` writes, as the tests use it. */
const POSTURE = {
  CapAmb: '0000000000000000',
  CapBnd: '0000000020000420',
  CapEff: '0000000020000420',
  CapInh: '0000000000000000',
  CapPrm: '0000000020000420',
  Gid: '0 0 0 0',
  Groups: '',
  NoNewPrivs: '1',
  Seccomp: '0',
  Uid: '0 0 0 0',
  Umask: '0022',
  env: 'PATH TERM',
  fds: '0 1 2',
  files: 'Max open files 1024 1024 files',
  mounts: [
    '/dev rw,nosuid tmpfs',
    '/dev/mqueue rw,nosuid,nodev,noexec,relatime mqueue',
    '/dev/pts rw,nosuid,noexec,relatime devpts',
    '/dev/shm rw,nosuid,nodev,noexec,relatime tmpfs',
    '/proc rw,relatime proc',
    '/sys ro,nosuid,nodev,noexec,relatime sysfs',
  ],
};
const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'];

const COLLECT = [
  'echo "env $(env | grep -v -E "^(PWD|SHLVL|_|OLDPWD)=" | while IFS== read k v; do echo $k; done | sort | tr "\\n" " ")"',
  'ls /proc/$$/fd',
  'echo "files $(grep "open files" /proc/self/limits | tr -s " ")"',
  'grep -E "^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups|Umask)" /proc/self/status | tr "\\t" " "',
  'while read a b c d place options rest; do echo "mount $place $options $rest"; done < /proc/self/mountinfo',
].join('; ');

/** The lines of COLLECT as one record. Root, masked and read-only paths depend on the host; tests of their own are about them. */
function readPosture(text: string): Readonly<Record<string, unknown>> {
  const lines = text.trim().split('\n');
  const mounts = lines.flatMap((line) => {
    const [, place, type] = /^mount (\/\S+ \S+) .*?- (\S+)/.exec(line) ?? [];
    return place === undefined ? [] : [`${place} ${type}`];
  });
  const fields = lines.filter((line) => !line.startsWith('mount ')).map((line) => /^([a-z]+|[A-Z]\w+):? *(.*?) *$/i.exec(line));
  return {
    ...Object.fromEntries(fields.flatMap((match) => (match === null ? [] : [[match[1], match[2]]]))),
    fds: lines.filter((line) => /^\d+$/.test(line)).join(' '),
    mounts: mounts.filter((line) => !/^\/(proc|sys)\//.test(line)).toSorted(),
  };
}

describe.each(OURS_AND_RUNC)('posture, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  // @attack A51: attack, control, twin
  hostTest('the first process and a further one have what the document gives them, and nothing else', ['root'], async () => {
    const { id, pid } = await runtime.sleeping();
    const first = readPosture(await runtime.shell(COLLECT));
    const further = readPosture((await runtime.must('exec', id, '/bin/sh', '-c', COLLECT)).stdout);

    expect(further).toEqual(first);
    expect(first).toEqual({ ...POSTURE, env: differs(under, 'home-is-set') ? 'HOME PATH TERM' : POSTURE.env });
    const own = NAMESPACES.filter((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`));
    expect(own).toEqual(['ipc', 'mnt', 'net', 'pid', 'uts']);
    // The control: what a process of the host has is told apart.
    expect(readPosture(execFileSync('sh', ['-c', COLLECT], { encoding: 'utf8' }))).not.toEqual(first);
  });

  // @attack A47: attack, control, twin
  hostTest('variables of the document reach its process alone', ['root'], async () => {
    const mark = join(runtime.dir, 'required');
    const script = join(runtime.dir, 'require.cjs');
    writeFileSync(script, `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')`);
    const env = ['PATH=/bin', `NODE_OPTIONS=--require=${script}`, 'LD_PRELOAD=/nowhere.so', 'FAILPOINT=pivotRoot:error'];

    expect(await runtime.shell('echo $NODE_OPTIONS $LD_PRELOAD $FAILPOINT', { process: { env } })).toBe(
      `--require=${script} /nowhere.so pivotRoot:error\n`,
    );
    expect(existsSync(mark)).toBe(false);
    // The control: a Node that is given them does as they say.
    execFileSync(process.execPath, ['--eval', ''], { env: { NODE_OPTIONS: `--require=${script}` } });
    expect(existsSync(mark)).toBe(true);
  });

  // @attack A49: attack, twin
  hostTest('arguments and variables arrive as they are, whatever they hold; a NUL is refused', ['root'], async () => {
    const odd = 'line\nbreak\ttab "quotes" \\ $HOME \u{1F600} \u001b[31m';
    const long = 'x'.repeat(100_000);
    const args = ['/bin/sh', '-c', 'printf %s "$1|$V|"; printf %s "$2" | wc -c', 'sh', odd, long];

    expect((await runtime.run({ process: { args, env: ['PATH=/bin', `V=${odd}`] } })).stdout).toBe(`${odd}|${odd}|100000\n`);
    expect((await runtime.run({ process: { args: ['/bin/sh', '-c', 'true\0x'] } })).code).not.toBe(0);
  });

  // @attack A35: attack, control, twin
  hostTest(
    'who watches processes come into the container finds no door to the host in them',
    ['root'],
    async () => {
      const set = ['CAP_SYS_PTRACE', 'CAP_DAC_OVERRIDE'];
      const capabilities = { bounding: set, effective: set, permitted: set };
      const rootfs = runtime.rootfs();
      const watch =
        'while :; do for p in /proc/[0-9]*; do for f in $p/exe $p/cwd $p/root $p/fd/*; do readlink $f; done; done >> /tmp/seen 2>/dev/null; done';
      const { id, pid } = await runtime.sleeping({ root: { path: rootfs }, process: { args: ['/bin/sh', '-c', watch], capabilities } });
      for (let n = 0; n < 20; n++) await runtime.must('exec', id, '/bin/true');

      const seen = () => new Set(readFileSync(join(rootfs, 'tmp/seen'), 'utf8').split('\n'));
      expect(seen().has('/bin/busybox')).toBe(true);
      const doors = [...seen()].filter(
        (target) => !/^(|\/|\/bin\/.*|\/proc.*|\/tmp\/seen|\/dev\/.*|(pipe|socket|anon_inode):.*|\/out-\d+|\/err-\d+)$/.test(target),
      );
      expect(doors.filter((target) => existsSync(target) && !target.startsWith(runtime.dir))).toEqual([]);
      // The control: whoever comes in with a directory of the host open shows it.
      const careless = spawn('sh', ['-c', `exec 9</usr/lib; exec nsenter --target ${pid} --mount --pid --root --wd=/ /bin/sleep 1000`]);
      try {
        await eventually(() => seen().has('/usr/lib'), 30_000);
      } finally {
        careless.kill('SIGKILL');
      }
    },
    120_000,
  );
});

describe('state cut off anywhere', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  // @attack A33: attack
  hostTest(
    'at every byte, it harms its own container only',
    ['root'],
    async () => {
      const whole = await runtime.sleeping();
      const torn = await runtime.sleeping();
      const file = join(runtime.root, torn.id, 'state.json');
      const text = readFileSync(file);
      const api = createRuntime({ root: runtime.root, launcher: createLauncher() });
      for (let length = text.length - 1; length >= 0; length--) {
        truncateSync(file, length);
        const listed = new Map((await api.list()).map(({ id, status }) => [id, status]));
        expect([listed.get(torn.id), listed.get(whole.id)], `${length} bytes`).toEqual(['stopped', 'running']);
      }
      writeFileSync(file, text);
      expect(await runtime.state(torn.id)).toMatchObject({ status: 'running', pid: torn.pid });
    },
    120_000,
  );
});

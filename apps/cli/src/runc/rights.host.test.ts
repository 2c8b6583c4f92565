import { chmodSync, chownSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpecProcess } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

const STATUS = 'grep -E "^(Cap|NoNew|Seccomp:|Uid|Gid|Groups)" /proc/self/status';
const KILL_AND_CHOWN = ['CAP_KILL', 'CAP_CHOWN'];
const MASK = '0000000000000021';

function fields(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(':').map((part) => part.trim().replaceAll('\t', ' '))),
  );
}

describe.each(RUNTIMES)('rights, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  // @attack A13: attack
  // @proves runtime-spec: config.md#linux-process/capability-sets
  hostTest('capabilities are those of the document, and inheritable stays empty, in exec too', ['root'], async () => {
    const capabilities = { bounding: KILL_AND_CHOWN, effective: KILL_AND_CHOWN, permitted: KILL_AND_CHOWN };
    const { id } = await runtime.sleeping({ process: { capabilities } });
    const expected = { CapInh: '0000000000000000', CapPrm: MASK, CapEff: MASK, CapBnd: MASK, CapAmb: '0000000000000000' };

    expect(fields(await runtime.shell(STATUS, { process: { capabilities } }))).toMatchObject(expected);
    expect(fields((await runtime.must('exec', id, '/bin/sh', '-c', STATUS)).stdout)).toMatchObject(expected);
    const more = fields((await runtime.must('exec', '--cap', 'CAP_NET_RAW', id, '/bin/sh', '-c', STATUS)).stdout);
    expect(more).toMatchObject({
      CapInh: '0000000000000000',
      CapBnd: differs(under, 'cap-replaces') ? '0000000000002000' : '0000000000002021',
    });
  });

  // @attack A13: control, twin
  // @attack A14: attack, twin
  // @proves runtime-spec: config.md#linux-process/capability-sets
  hostTest('ambient capabilities reach a user without rights', ['root'], async () => {
    const set = ['CAP_CHOWN'];
    const capabilities = { bounding: set, effective: set, permitted: set, inheritable: set, ambient: set };

    expect(fields(await runtime.shell(STATUS, { process: { user: { uid: 1, gid: 1 }, capabilities } }))).toMatchObject({
      CapEff: '0000000000000001',
      CapInh: '0000000000000001',
    });
    expect(
      fields(await runtime.shell(STATUS, { process: { user: { uid: 1, gid: 1 }, capabilities: { bounding: set, permitted: set } } })),
    ).toMatchObject({
      CapEff: '0000000000000000',
    });
  });

  // @attack A15, A18: attack, control, twin
  // @proves runtime-spec: config.md#linux-process/no-new-privileges config-linux.md#seccomp/enforced
  hostTest('no_new_privs and seccomp hold for the first process and for further ones', ['root'], async () => {
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] };
    for (const noNewPrivileges of [true, false]) {
      const changes = { root: { path: runtime.rootfs() }, process: { noNewPrivileges }, linux: { seccomp } };
      const line = `${STATUS}; mkdir /tmp/x 2>&1 || :`;
      const { id } = await runtime.sleeping(changes);
      const first = await runtime.shell(line, changes);
      const further = (await runtime.must('exec', id, '/bin/sh', '-c', line)).stdout;
      for (const [text, mayGain] of [
        [first, !noNewPrivileges],
        [further, !noNewPrivileges || differs(under, 'exec-gains-privileges')],
      ] as const) {
        expect(text).toContain("mkdir: can't create directory '/tmp/x': Operation not permitted");
        expect(fields(text.split('mkdir:')[0] ?? '')).toMatchObject({ NoNewPrivs: mayGain ? '0' : '1', Seccomp: '2' });
      }
    }
    // The control: without the filter the call is made.
    expect(await runtime.shell('mkdir /tmp/x && echo made', { root: { path: runtime.rootfs() } })).toBe('made\n');
  });

  // @proves runtime-spec: config.md#posix-platform-user/ids config.md#posix-platform-user/additional-groups
  // @proves runtime-spec: config.md#posix-platform-user/umask config.md#posix-process/rlimit-applied config.md#linux-process/oom-score
  hostTest('user, groups, umask and limits', ['root'], async () => {
    const process = {
      user: { uid: 7, gid: 8, additionalGids: [9, 10], umask: 0o027 },
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
      ],
      oomScoreAdj: 321,
    };
    const text = await runtime.shell('id -u; id -g; id -G; umask; grep "open files" /proc/self/limits; cat /proc/self/oom_score_adj', {
      process,
    });

    expect(text).toMatch(/^7\n8\n8 9 10\n0027\nMax open files +100 +200 +files *\n321\n$/);
  });

  // @attack A45: attack, twin
  hostTest('a process raises its score for want of memory, and lowers it no further than its caller’s', ['root'], async () => {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
    const line = [
      `(echo ${own - 1} >/proc/self/oom_score_adj) 2>/dev/null && echo lowered`,
      'echo 400 >/proc/self/oom_score_adj && cat /proc/self/oom_score_adj',
    ].join('; ');

    expect(await runtime.shell(line, { process: { oomScoreAdj: 300 } })).toBe('400\n');
  });

  // @attack A11: attack, control, twin
  hostTest('a group that a file keeps out is among the process’s groups, the first one and the others', ['root'], async () => {
    const rootfs = runtime.rootfs();
    for (const gid of [8, 9]) {
      writeFileSync(join(rootfs, `not-for-${gid}`), 'secret');
      chownSync(join(rootfs, `not-for-${gid}`), 0, gid);
      chmodSync(join(rootfs, `not-for-${gid}`), 0o604);
    }
    const reads = async (user: NonNullable<SpecProcess['user']>) =>
      await runtime.shell('for g in 8 9; do cat /not-for-$g >/dev/null 2>&1 && echo $g; done; :', {
        root: { path: rootfs },
        process: { user },
      });

    expect(await reads({ uid: 7, gid: 8, additionalGids: [9] })).toBe('');
    // The control, and the twin: who is in neither group may read both, as everybody else.
    expect(await reads({ uid: 7, gid: 10 })).toBe('8\n9\n');
  });

  // @attack A12: attack, control, twin
  hostTest('exec --user takes numbers in range, never anything else, and never makes them 0', ['root'], async () => {
    const { id } = await runtime.sleeping();
    expect((await runtime.must('exec', '--user', '1', id, '/bin/id', '-u')).stdout).toBe('1\n');
    expect((await runtime.must('exec', '--user', '1:2', id, '/bin/id', '-g')).stdout).toBe('2\n');
    // Peers make its user root: the control that this test can fail.
    const beyond = await runtime.call('exec', '--user=4294967296', id, '/bin/id', '-u');
    if (differs(under, 'user-cut-off')) expect(beyond.stdout).toBe('0\n');
    else expect(beyond.code).not.toBe(0);
    if (under.kind !== 'ours') return;
    for (const user of ['4294967295', '-1', '+1', '0x0', '1:', ':1', '1 ', '١', '9999999999', 'root']) {
      expect((await runtime.call('exec', `--user=${user}`, id, '/bin/id', '-u')).code, user).not.toBe(0);
    }
  });

  // @attack A02: attack
  hostTest(
    'a working directory through an open descriptor never leads outside',
    ['root'],
    async () => {
      const rootfs = runtime.rootfs();
      writeFileSync(join(rootfs, 'marker'), 'inside');
      // Through the directory itself, not through "/": outside, the marker would not be there.
      const args = ['/bin/cat', './marker'];
      const { id } = await runtime.sleeping({ root: { path: rootfs } });
      for (let fd = 3; fd < 16; fd++) {
        for (const cwd of [`/proc/self/fd/${fd}`, `/proc/self/fd/${fd}/../..`]) {
          const ended = [
            await runtime.run({ root: { path: rootfs }, process: { cwd, args } }),
            await runtime.call('exec', '--cwd', cwd, id, ...args),
          ];
          for (const { code, stdout } of ended) expect(code === 0 ? stdout : 'inside', cwd).toBe('inside');
        }
      }
    },
    120_000,
  );

  // @attack A02: attack, twin
  hostTest(
    'a further process gets no working directory that is no place of the container',
    ['root'],
    async () => {
      const rootfs = runtime.rootfs();
      symlinkSync('/proc/self/fd/7', join(rootfs, 'mnt/seven'));
      symlinkSync('/tmp', join(rootfs, 'mnt/legal'));
      const { id } = await runtime.sleeping({ root: { path: rootfs } });
      const last = under.kind === 'ours' ? 64 : 10;
      for (const cwd of [...Array.from({ length: last + 1 }, (_, fd) => `/proc/self/fd/${fd}`), '/mnt/seven']) {
        const { code, stdout } = await runtime.call('exec', '--cwd', cwd, id, '/bin/pwd');
        // Of a directory outside the root, getcwd says "(unreachable)" first. The container's own /proc is inside.
        if (code === 0) expect(stdout, cwd).toMatch(/^\//);
      }
      expect((await runtime.must('exec', '--cwd', '/mnt/legal', id, '/bin/pwd')).stdout).toBe('/tmp\n');
    },
    180_000,
  );

  // @attack A03: attack
  hostTest('the process has its three streams and no other descriptor', ['root'], async () => {
    const { id } = await runtime.sleeping();
    // The last word keeps the shell from becoming ls, whose own descriptor would be listed.
    const line = 'ls /proc/$$/fd; true';

    expect((await runtime.shell(line)).trim().split(/\s+/)).toEqual(['0', '1', '2']);
    expect((await runtime.must('exec', id, '/bin/sh', '-c', line)).stdout.trim().split(/\s+/)).toEqual(['0', '1', '2']);
  });
});

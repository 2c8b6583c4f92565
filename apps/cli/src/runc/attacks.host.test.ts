import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { OURS, RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

/** Two classes of attack that Debian's runc 1.1.5 still has: it is the control that shows these tests can fail. */
describe.each(RUNTIMES)('links of the image in /dev, against $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  // @attack A09: attack, control
  hostTest('an image whose /dev is a link does not write outside its root', ['root'], async () => {
    const rootfs = runtime.rootfs();
    const outside = join(runtime.dir, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'ptmx'), 'the host’s own');
    rmSync(join(rootfs, 'dev'), { recursive: true });
    symlinkSync(outside, join(rootfs, 'dev'));
    const ended = await runtime.run({
      root: { path: rootfs },
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
      linux: { maskedPaths: [], readonlyPaths: [] },
    });
    const untouched = readdirSync(outside).join() === 'ptmx' && readFileSync(join(outside, 'ptmx'), 'utf8') === 'the host’s own';

    expect(untouched).toBe(!differs(under, 'dev-link-followed'));
    expect(ended.code === 0).toBe(differs(under, 'starts-behind-a-dev-link'));
  });

  // @attack A06: attack, control
  hostTest('a mask does not show what the image’s /dev/null points to', ['root'], async () => {
    const rootfs = runtime.rootfs();
    writeFileSync(join(rootfs, 'secret'), 'secret');
    writeFileSync(join(rootfs, 'testfile'), 'plain');
    symlinkSync('/secret', join(rootfs, 'dev/null'));
    // Told by exit code: runc 1.1.5 also takes the link for the null device our streams point to, and output lands in it.
    const { code } = await runtime.run({
      root: { path: rootfs },
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
      linux: { maskedPaths: ['/testfile'], readonlyPaths: [] },
      process: {
        args: ['/bin/sh', '-c', 'grep -q secret /testfile && exit 33; exit 0'],
        rlimits: [{ type: 'RLIMIT_FSIZE', soft: 65_536, hard: 65_536 }],
      },
    });

    expect(code === 33).toBe(differs(under, 'mask-by-image'));
  });

  // @attack A06, A09: twin
  hostTest('the same image without the links runs', ['root'], async () => {
    expect(await runtime.shell('cat /dev/null; echo fine', { root: { path: runtime.rootfs() } })).toBe('fine\n');
  });
});

describe.each(RUNTIMES)('one state among others, by $name', (under) => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(under);
  });
  afterAll(() => runtime.dispose());

  // @attack A33: attack, control
  hostTest('that is torn hides no other container', ['root'], async () => {
    const [whole, torn] = [await runtime.sleeping(), await runtime.sleeping()];
    const file = join(runtime.root, torn.id, under.kind === 'crun' ? 'status' : 'state.json');
    const text = readFileSync(file);
    try {
      truncateSync(file, text.length >> 1);
      const { stdout } = await runtime.call('list', '--format', 'json');

      // The control: crun's list ends there.
      expect(stdout.includes(`"${whole.id}"`)).toBe(!differs(under, 'torn-list'));
    } finally {
      writeFileSync(file, text);
    }
  });
});

describe('state that lies', () => {
  let runtime: TestRuntime;
  beforeAll(() => {
    runtime = new TestRuntime(OURS);
  });
  afterAll(() => runtime.dispose());

  // @attack A33: attack, twin
  hostTest('torn state is one container’s problem: the others are listed, and delete --force recovers the id', ['root'], async () => {
    const whole = await runtime.sleeping();
    const torn = await runtime.sleeping();
    const file = join(runtime.root, torn.id, 'state.json');
    const text = readFileSync(file, 'utf8');
    for (const damage of [
      text.slice(0, text.length / 2),
      '',
      '{}',
      '\0\0\0',
      '[]',
      'x'.repeat(100_000),
      text.replace('"version":1', '"version":2'),
    ]) {
      writeFileSync(file, damage);
      const listed = JSON.parse((await runtime.must('list', '--format', 'json')).stdout);
      expect(listed).toContainEqual(expect.objectContaining({ id: torn.id, status: 'stopped', pid: 0 }));
      expect(listed).toContainEqual(expect.objectContaining({ id: whole.id, status: 'running', pid: whole.pid }));
    }
    truncateSync(file, 10);
    expect((await runtime.call('state', torn.id)).stderr).toContain('cannot be read');
    expect((await runtime.call('delete', torn.id)).code).not.toBe(0);

    await runtime.must('delete', '--force', torn.id);

    expect(existsSync(join(runtime.root, torn.id))).toBe(false);
    expect(existsSync(`/proc/${torn.pid}/root/bin`)).toBe(false);
    expect(await runtime.state(whole.id)).toMatchObject({ status: 'running' });
  });

  // @attack A34: attack
  hostTest('a pid that has gone to a stranger is not signalled', ['root'], async () => {
    const stranger: ChildProcess = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
    try {
      for (const lie of [{ startTime: '1' }, { bootId: 'another boot' }]) {
        const { id, pid } = await runtime.sleeping();
        const file = join(runtime.root, id, 'state.json');
        const record = JSON.parse(readFileSync(file, 'utf8'));
        const startTime = readFileSync(`/proc/${stranger.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
        const bootId = 'bootId' in lie ? lie.bootId : record.bootId;
        writeFileSync(
          file,
          JSON.stringify({ ...record, bootId, process: { pid: stranger.pid, startTime: 'startTime' in lie ? lie.startTime : startTime } }),
        );

        expect(await runtime.state(id)).toMatchObject({ status: 'stopped', pid: 0 });
        expect((await runtime.call('kill', id, 'KILL')).stderr).toContain('not running');
        expect((await runtime.call('exec', id, '/bin/true')).code).not.toBe(0);
        await runtime.must('delete', id);
        expect(existsSync(`/proc/${pid}/root/bin`)).toBe(false);
      }
      expect(stranger.exitCode).toBeNull();
      expect(stranger.signalCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  // @attack A32: attack
  hostTest('a creator that is killed leaves what delete --force can take away', ['root'], async () => {
    for (let delayMs = 60; delayMs <= 200; delayMs += 20) {
      const id = runtime.newId();
      const { child } = runtime.begin('create', '--bundle', runtime.bundle({ process: { args: ['/bin/sleep', '1000'] } }), id);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill('SIGKILL');
      await runtime.must('delete', '--force', id);
      expect(existsSync(join(runtime.root, id))).toBe(false);
      await runtime.must('run', '--bundle', runtime.bundle(), id);
    }
  });
});

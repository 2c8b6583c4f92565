import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTracefs, readMounts } from '@slipway/kernel';
import { hostTest } from '@slipway/testing';
import { expect } from 'vitest';
import { openRecorder } from './recorder.ts';
import type { TraceRecord } from './trace-records.ts';

const ENOENT = 2;
const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `script` in a shell that waits until the recorder follows it. */
async function record(script: string): Promise<{ records: TraceRecord[]; shell: number; lost: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'observe-'));
  const recorder = await openRecorder({ mountDirectory: directory });
  const records: TraceRecord[] = [];
  let lost = 0;
  recorder.subscribe((batch) => {
    records.push(...batch.records);
    lost += Math.abs(batch.lost);
  });
  const shell = spawn('sh', ['-c', `read go; ${script}`], { stdio: ['pipe', 'ignore', 'inherit'] });
  try {
    recorder.follow([shell.pid ?? 0]);
    shell.stdin.end('go\n');
    await once(shell, 'exit');
    await delay(60);
    recorder.poll();
  } finally {
    await recorder.close();
    rmSync(directory, { recursive: true });
  }
  return { records, shell: shell.pid ?? 0, lost };
}

hostTest('a followed shell and its children are recorded, with names that cannot forge events', ['root', 'linux', 'tracefs'], async () => {
  const evil = `$(printf '/tmp/a b\\n sh-1 [000] ..... 1.0: sched_process_exec: x')-$$`;
  const { records, shell, lost } = await record(
    `unshare -m -p -f sh -c 'true; /bin/ls -d /'; chroot /no/such/place; e="${evil}"; cp /bin/true "$e"; "$e"; rm "$e"`,
  );

  expect(lost).toBe(0);
  const execs = records.flatMap((record) => (record.type === 'exec' ? [record.filename.replace(/^\/usr/, '')] : []));
  expect(execs.slice(0, 3)).toEqual(['/bin/unshare', '/bin/sh', '/bin/ls']);
  expect(execs).toContainEqual(expect.stringMatching(/^\/tmp\/a b\n sh-1 \[000\] .*: x-\d+$/));
  const unshare = records.find((record) => record.type === 'syscall' && record.syscall === 'unshare');
  expect(unshare).toMatchObject({ args: { unshare_flags: '0x20020000' } });
  const returned = records.flatMap((record) => (record.type === 'returned' ? [[record.syscall, record.result]] : []));
  expect(returned).toContainEqual(['unshare', 0]);
  expect(returned).toContainEqual(['chroot', -ENOENT]);
  // Everything descends from the shell: nobody else's events came along.
  const known = new Set([shell]);
  for (const record of records) {
    expect(known).toContain(record.pid);
    if (record.type === 'newtask') known.add(record.childPid);
  }
  expect(records.map((record) => record.atMs)).toEqual(records.map((record) => record.atMs).toSorted((a, b) => a - b));
});

hostTest('in a new pid namespace the returned pid is the inner one', ['root', 'linux', 'tracefs'], async () => {
  const { records } = await record(`unshare -p -f --kill-child sh -c '(exec /bin/true); true'`);
  const inner = records.flatMap((record) => (record.type === 'cloned' ? [record.childPid] : []));
  expect(inner).toContain(2);
});

hostTest(
  'a directory reached through a symbolic link is given back, and so is one that a dead owner left',
  ['root', 'linux', 'tracefs'],
  async () => {
    const real = mkdtempSync(join(tmpdir(), 'observe-'));
    const directory = `${real}/link`;
    mkdirSync(`${real}/run`);
    symlinkSync('run', directory);
    try {
      const orphan = await ensureTracefs(`${directory}/slipway-4000000-1-1`);
      mkdirSync(`${directory}/slipway-4000000-1-2`);
      const recorder = await openRecorder({ mountDirectory: directory });
      await recorder.close();
      await orphan.release(); // somebody else has done it
      expect(readdirSync(directory)).toEqual([]);
      expect(readMounts('self').filter((mount) => mount.mountPoint.startsWith(real))).toEqual([]);
    } finally {
      rmSync(real, { recursive: true });
    }
  },
);

hostTest('after closing, no instance and no mount is left; an orphan of a dead owner is swept', ['root', 'linux', 'tracefs'], async () => {
  const directory = mkdtempSync(join(tmpdir(), 'observe-'));
  const look = await ensureTracefs(`${directory}/look`);
  const instances = () =>
    readdirSync(`${look.directory}/instances`).filter((name) => name.includes(`-${process.pid}-`) || name.endsWith('-77'));
  mkdirSync(`${look.directory}/instances/slipway-4000000-1-77`);
  try {
    const first = await openRecorder({ mountDirectory: directory });
    const second = await openRecorder({ mountDirectory: directory });
    expect(instances().filter((name) => name.endsWith('-77'))).toEqual([]);
    expect(instances()).toHaveLength(2);
    await first.close();
    await second.close();
    await second.close();
    expect(instances()).toEqual([]);
  } finally {
    await look.release();
  }
  expect(readMounts('self').filter((mount) => mount.mountPoint.startsWith(directory))).toEqual([]);
  rmSync(directory, { recursive: true });
});

hostTest('recording costs a fork-heavy shell little', ['root', 'linux', 'tracefs'], async () => {
  const script = 'i=0; while [ $i -lt 400 ]; do /bin/true; i=$((i+1)); done';
  const plain = async () => {
    const began = performance.now();
    const shell = spawn('sh', ['-c', script], { stdio: 'ignore' });
    await once(shell, 'exit');
    return performance.now() - began;
  };
  const recorded = async () => {
    const began = performance.now();
    const { records, lost } = await record(script);
    expect(records.filter((record) => record.type === 'exec')).toHaveLength(400);
    expect(lost).toBe(0);
    return performance.now() - began;
  };
  const runs: Array<[number, number]> = [];
  for (let n = 0; n < 3; n++) runs.push([await plain(), await recorded()]);
  const best = (column: 0 | 1) => Math.min(...runs.map((run) => run[column]));
  process.stderr.write(
    `fork+exec ×400: ${best(0).toFixed(0)} ms alone, ${best(1).toFixed(0)} ms recorded (with setting up the recorder)\n`,
  );
  expect(best(1)).toBeLessThan(best(0) * 2 + 500);
});

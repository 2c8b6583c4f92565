import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode } from '@slipway/errors';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { findText, readText, writeFileAtomic } from './files.ts';
import { monotonicMs } from './monotonic.ts';
import { runProgram } from './program.ts';
import { removeTree } from './remove-tree.ts';

let dir = '';
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'slipway-files-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', dir]);
});
afterEach(() => {
  execFileSync('umount', ['-R', dir]);
  fs.rmdirSync(dir);
});

async function codeOf(run: Promise<unknown>): Promise<string | undefined> {
  return await run.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

hostTest('an atomic write replaces content and mode, and leaves no temporary file, also when it fails', ['linux', 'root'], async () => {
  const path = join(dir, 'state.json');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, 'two', { mode: 0o644, durable: false });
  expect([await readText(path), fs.statSync(path).mode & 0o777]).toEqual(['two', 0o644]);

  fs.mkdirSync(join(dir, 'in-the-way'));
  await expect(writeFileAtomic(join(dir, 'in-the-way'), 'x')).rejects.toThrow();
  expect(fs.readdirSync(dir).sort()).toEqual(['in-the-way', 'state.json']);
});

hostTest('a full disk leaves the old content', ['linux', 'root'], async () => {
  const path = join(dir, 'state.json');
  await writeFileAtomic(path, 'old');
  expect(await codeOf(writeFileAtomic(path, 'x'.repeat(32 << 20)))).toBe('ENOSPC');
  expect(await readText(path)).toBe('old');
  expect(fs.readdirSync(dir)).toEqual(['state.json']);
});

hostTest('reading is bounded, and never waits for a fifo or reads a device', ['linux', 'root'], async () => {
  fs.writeFileSync(join(dir, 'big'), 'x'.repeat(100));
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  fs.symlinkSync('/dev/zero', join(dir, 'zero'));

  expect(await codeOf(readText(join(dir, 'big'), { maxBytes: 99 }))).toBe('E_FILE_TOO_LARGE');
  expect(await readText(join(dir, 'big'), { maxBytes: 100 })).toHaveLength(100);
  expect(await codeOf(readText(join(dir, 'fifo')))).toBe('E_FILE_KIND');
  expect(await codeOf(readText(join(dir, 'zero')))).toBe('E_FILE_KIND');
  expect(await codeOf(readText(join(dir, 'none')))).toBe('E_FILE_NOT_FOUND');
  expect(await findText(join(dir, 'none'))).toBeUndefined();
  expect(await readText('/proc/self/status')).toContain('Name:');
});

hostTest('a removed tree takes its links but never what they point to', ['linux', 'root'], async () => {
  fs.mkdirSync(join(dir, 'keep'));
  fs.writeFileSync(join(dir, 'keep/precious'), 'still here');
  fs.mkdirSync(join(dir, 'tree/a/b'), { recursive: true });
  fs.symlinkSync(join(dir, 'keep'), join(dir, 'tree/a/link'));
  fs.symlinkSync('/nowhere', join(dir, 'tree/dangling'));
  for (const large of ['keep/large', 'tree/large']) {
    fs.writeFileSync(join(dir, large), '');
    fs.truncateSync(join(dir, large), 8 * 1024 ** 2);
  }
  fs.symlinkSync(join(dir, 'keep/large'), join(dir, 'tree/a/large'));
  for (let index = 0; index < 300; index++) fs.writeFileSync(join(dir, `tree/a/b/file-${index}`), '');

  await removeTree(join(dir, 'tree'));
  await removeTree(join(dir, 'tree'));
  expect(fs.readdirSync(dir)).toEqual(['keep']);
  expect(fs.readFileSync(join(dir, 'keep/precious'), 'utf8')).toBe('still here');
  expect(fs.statSync(join(dir, 'keep/large')).size).toBe(8 * 1024 ** 2);
});

hostTest(
  'a tree with something mounted in it is refused at the mount, even a bind of the same file system',
  ['linux', 'root'],
  async () => {
    for (const path of ['outside', 'tree/mnt']) fs.mkdirSync(join(dir, path), { recursive: true });
    fs.writeFileSync(join(dir, 'outside/precious'), 'still here');
    execFileSync('mount', ['--bind', join(dir, 'outside'), join(dir, 'tree/mnt')]);

    await expect(removeTree(join(dir, 'tree'))).rejects.toSatisfy((error) => hasCode(error, 'E_TREE_HAS_MOUNT'));
    expect(fs.readFileSync(join(dir, 'outside/precious'), 'utf8')).toBe('still here');

    execFileSync('umount', [join(dir, 'tree/mnt')]);
    await removeTree(join(dir, 'tree'));
    expect(fs.existsSync(join(dir, 'tree'))).toBe(false);
  },
);

hostTest('a program gets a clean environment, and its output and exit code come back', ['linux', 'root'], async () => {
  process.env['SLIPWAY_TEST_SECRET'] = 'x';
  const { exitCode, stdout } = await runProgram({ program: 'sh', args: ['-c', 'env; pwd; cat; exit 7'], stdin: 'from stdin' });
  delete process.env['SLIPWAY_TEST_SECRET'];

  expect(exitCode).toBe(7);
  expect(stdout).not.toContain('SLIPWAY_TEST_SECRET');
  expect(stdout).toContain('\n/\nfrom stdin');
  expect(await codeOf(runProgram({ program: 'no-such-program-here', args: [] }))).toBe('E_PROGRAM_MISSING');
  expect((await runProgram({ program: 'sh', args: ['-c', 'kill -TERM $$'] })).exitCode).toBe(143);
});

hostTest('a program that does not end is ended with its children, and endless output is cut', ['linux', 'root'], async () => {
  const start = monotonicMs();
  const slow = runProgram({ program: 'sh', args: ['-c', 'sleep 61.5 & sleep 61.5'], timeoutMs: 100 });
  expect(await codeOf(slow)).toBe('E_PROGRAM_TIMEOUT');
  expect(monotonicMs() - start).toBeLessThan(5000);
  expect(execFileSync('sh', ['-c', 'pgrep -f "^sleep 61.5$" || true'], { encoding: 'utf8' })).toBe('');

  const { stdout, truncated } = await runProgram({ program: 'sh', args: ['-c', 'head -c 5000 /dev/zero'], maxOutputBytes: 1000 });
  expect([stdout.length, truncated]).toEqual([1000, true]);
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { openFileSystemSync } from './whole-filesystem.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'sync-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Shells of ours that were told this path. */
const shells = () =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && existsSync(`/proc/${pid}/cmdline`) && commandLine(pid).includes(base));
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

hostTest('a file system is synced as often as asked, by one process that ends when it is let go', ['linux'], async () => {
  const sync = openFileSystemSync(base);
  await sync.run();
  const during = shells();
  await sync.run();
  expect(shells()).toEqual(during);

  await sync.close();
  expect([during.length, shells()]).toEqual([1, []]);
});

hostTest('what sync cannot do is said in its words, then and later', ['linux'], async () => {
  rmSync(base, { recursive: true });
  const sync = openFileSystemSync(base);

  await expect(sync.run()).rejects.toThrow('No such file or directory');
  await expect(sync.run()).rejects.toThrow('No such file or directory');
  await sync.close();
});

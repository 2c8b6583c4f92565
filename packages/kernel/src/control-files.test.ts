import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hostControlFiles } from './control-files.ts';
import { MemoryControlFiles } from './memory-control-files.ts';
import { controlFilesSuite } from './testing/control-files-suite.ts';

const parent = mkdtempSync(join(tmpdir(), 'slipway-control-files-'));
afterAll(() => rmSync(parent, { recursive: true }));

controlFilesSuite('the host', () => ({
  files: hostControlFiles,
  root: mkdtempSync(join(parent, 'case-')),
  put: (path, text) => writeFileSync(path, text),
  putLink: (path, target) => symlinkSync(target, path),
}));

controlFilesSuite('the fake', () => {
  const files = new MemoryControlFiles();
  files.putDirectory('/root');
  return { files, root: '/root', put: (path, text) => files.put(path, text), putLink: (path, target) => files.putLink(path, target) };
});

test.runIf(existsSync('/proc/kallsyms'))('what the kernel hands out a page of whole records at a time is read as far as was asked', () => {
  expect(hostControlFiles.read('/proc/kallsyms', 20_000)).toHaveLength(20_000);
  expect(hostControlFiles.read('/proc/kallsyms', 200_000)).toHaveLength(200_000);
});

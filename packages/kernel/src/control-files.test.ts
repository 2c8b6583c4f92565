import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
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

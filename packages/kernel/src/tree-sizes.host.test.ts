import { linkSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { expect } from 'vitest';
import { treeSizes } from './tree-sizes.ts';

hostTest(
  'trees are measured in blocks: a hole takes nothing, a second name takes nothing more, and what is not there has no size',
  ['linux'],
  async () => {
    const base = mkdtempSync(join(tmpdir(), 'tree sizes\n-'));
    const [full, sparse] = [join(base, 'full'), join(base, 'sparse')];
    try {
      for (const directory of [full, sparse]) mkdirSync(directory);
      writeFileSync(join(full, 'file'), Buffer.alloc(1_000_000, 1));
      linkSync(join(full, 'file'), join(full, 'again'));
      writeFileSync(join(sparse, 'file'), '');
      truncateSync(join(sparse, 'file'), 1_000_000);
      const sizes = await treeSizes([full, sparse, join(base, 'none')]);
      expect([...sizes.keys()]).toEqual([full, sparse]);
      expect(sizes.get(full)).toBeGreaterThanOrEqual(1_000_000);
      expect(sizes.get(full)).toBeLessThan(1_100_000);
      expect(sizes.get(sparse)).toBeLessThan(100_000);
    } finally {
      rmSync(base, { recursive: true });
    }
  },
);

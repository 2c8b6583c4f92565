import { defineConfig } from 'vitest/config';

/**
 * Two projects. `unit` is pure and needs no privileges; `host` (`*.host.test.ts`) touches the kernel, so its
 * files run one after another: they count processes, mounts and cgroups before and after.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{packages,apps,labs,tooling}/**/*.test.{ts,tsx}'],
          exclude: ['**/*.host.test.ts', '**/node_modules/**'],
          // A bound for a busy machine, not a promise about speed.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'host',
          include: ['{packages,apps,labs}/**/*.host.test.ts'],
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

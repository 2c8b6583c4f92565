import { defineConfig } from 'vitest/config';

/**
 * Two projects. `unit` is pure and needs no privileges; `host` (`*.host.test.ts`) touches the kernel. A host file mostly waits for one
 * process or another, so two run at a time: what a test counts before and after has a name, directory or parent process of its own.
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
          maxWorkers: 2,
          // After `unit` where both are run: projects of one group share one number of workers.
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

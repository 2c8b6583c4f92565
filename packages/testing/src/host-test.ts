/**
 * Tests that touch the kernel declare what they need from the machine they run on.
 *
 * Knows: how to probe for each need.
 * Does not know: any package under test.
 */
import { readFileSync } from 'node:fs';
import { test } from 'vitest';

const PROBES = {
  root: () => process.getuid?.() === 0,
  linux: () => process.platform === 'linux',
  overlayfs: () => readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n'),
  'user-namespaces': () => Number(readFileSync('/proc/sys/user/max_user_namespaces', 'utf8')) > 0,
  cgroup2: () => readFileSync('/proc/self/mountinfo', 'utf8').includes(' - cgroup2 '),
  tracefs: () => readFileSync('/proc/filesystems', 'utf8').includes('\ttracefs\n'),
} as const;

/** What a privileged test may need from the machine it runs on. */
export type HostNeed = keyof typeof PROBES;

/**
 * A test that touches the kernel. Elsewhere it is skipped with the missing needs in its title;
 * with REQUIRE_HOST=1 (the privileged CI job) a missing need fails, so that coverage
 * cannot disappear unnoticed.
 */
export function hostTest(title: string, needs: readonly HostNeed[], body: () => Promise<void>, timeoutMs = 60_000): void {
  const missing = needs.filter((need) => !PROBES[need]());
  if (missing.length === 0) test(title, body, timeoutMs);
  else if (process.env['REQUIRE_HOST']) test(title, () => Promise.reject(new Error(`this host lacks ${missing.join(', ')}`)));
  else test.skip(`${title} [needs ${missing.join(', ')}]`, body);
}

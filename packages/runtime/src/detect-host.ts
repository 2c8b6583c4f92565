/**
 * Finds out what the planner has to know about this machine.
 *
 * Knows: which file of /proc answers which question.
 * Does not know: what the answers change.
 */

import { type CgroupHost, detectCgroups } from '@slipway/cgroups';
import { hostControlFiles, inUserNamespace, readOwnRights } from '@slipway/kernel';
import { RLIMIT_UNLIMITED } from '@slipway/oci';
import type { CgroupHierarchy, HostFacts } from './plan/host.ts';

const ID_MAP_HELPERS = ['/usr/bin/newuidmap', '/usr/bin/newgidmap'] as const;
const APPARMOR = '/sys/module/apparmor/parameters/enabled';

/** Reads /proc of the calling process. */
export function detectHost(cgroups: CgroupHost = detectCgroups()): HostFacts {
  const { capabilities, lastCapability, oomScoreAdj, limits } = readOwnRights();
  return {
    inUserNamespace: inUserNamespace(),
    capabilities: Array.from({ length: lastCapability + 1 }, (_, number) => number).filter(
      (number) => (capabilities >> BigInt(number)) & 1n,
    ),
    lastCapability,
    hardLimits: parseLimits(limits),
    oomScoreAdj,
    cgroups: { layout: cgroups.mode, hierarchies: cgroups.hierarchies.map(describeHierarchy) },
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    ...(ID_MAP_HELPERS.every((path) => hostControlFiles.kind(path) !== undefined) ? { idMapHelpers: ID_MAP_HELPERS } : {}),
    securityModules: findSecurityModules(),
    hasKcore: hostControlFiles.kind('/proc/kcore') !== undefined,
  };
}

function findSecurityModules(): string[] {
  const apparmor = hostControlFiles.kind(APPARMOR) !== undefined && hostControlFiles.read(APPARMOR).trim() === 'Y';
  // Registered only where SELinux is on.
  const selinux = /^nodev\tselinuxfs$/m.test(hostControlFiles.read('/proc/filesystems'));
  return [...(apparmor ? ['apparmor'] : []), ...(selinux ? ['selinux'] : [])];
}

function describeHierarchy({ version, name, controllers, mountPoint }: CgroupHost['hierarchies'][number]): CgroupHierarchy {
  const directory = mountPoint.slice(mountPoint.lastIndexOf('/') + 1);
  return { name, directory, version: version === 'v2' ? 2 : 1, data: version === 'v2' ? [] : controllers };
}

/** First words of a row → resource number. @see proc_pid_limits(5) */
const ROWS: Readonly<Record<string, number>> = {
  'Max cpu time': 0,
  'Max file size': 1,
  'Max data size': 2,
  'Max stack size': 3,
  'Max core file size': 4,
  'Max resident set': 5,
  'Max processes': 6,
  'Max open files': 7,
  'Max locked memory': 8,
  'Max address space': 9,
  'Max file locks': 10,
  'Max pending signals': 11,
  'Max msgqueue size': 12,
  'Max nice priority': 13,
  'Max realtime priority': 14,
  'Max realtime timeout': 15,
};

/** Hard limits by number, from the table of /proc/PID/limits. */
export function parseLimits(table: string): Readonly<Record<number, bigint>> {
  const hard: Record<number, bigint> = {};
  for (const line of table.split('\n')) {
    const [, name = '', limit = ''] = /^(Max [a-z ]+?) {2,}\S+ +(\S+)/.exec(line) ?? [];
    const resource = ROWS[name];
    if (resource !== undefined) hard[resource] = limit === 'unlimited' ? RLIMIT_UNLIMITED : BigInt(limit);
  }
  return hard;
}

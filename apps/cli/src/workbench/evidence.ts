/**
 * Which line of the kernel shows which field of a config.json, and whether it is as the document asks. Pure.
 *
 * Knows: the meaning of /proc/PID's files and of control files, field by field.
 * Does not know: how they were read (kernel-facts.ts), nor which runtime made the container: the same look for all.
 */

import { isReadBack } from '@slipway/cgroups';
import type { RunEvidence } from '@slipway/contracts';
import { parseProcStatus } from '@slipway/kernel';
import { capabilitiesOfMask, RLIMIT_UNLIMITED, type RuntimeSpec, rlimitValue, type SpecIdMapping } from '@slipway/oci';
import { type KernelFacts, sysctlPath } from './kernel-facts.ts';
import { mountEvidence } from './mount-evidence.ts';

const FOUND_MAX = 4000;

/** In the order of the document. Fields that leave no trace in these files have no line. */
export function findEvidence(spec: RuntimeSpec, facts: KernelFacts): RunEvidence[] {
  const all = [
    ...processEvidence(spec, facts),
    ...rightsEvidence(spec, facts),
    ...nameEvidence(spec, facts),
    ...mountEvidence(spec, facts),
    ...namespaceEvidence(spec, facts),
    ...limitEvidence(facts),
    ...linuxEvidence(spec, facts),
  ];
  return all.map((line) => ({ ...line, source: line.source.slice(0, 1000), found: line.found.slice(0, FOUND_MAX) }));
}

/** `Uid:	0	0	0	0` of a file of such lines. */
function lineOf(text: string | undefined, start: string): string | undefined {
  return text?.split('\n').find((line) => line.startsWith(start));
}

function words(text: string | undefined): readonly string[] | undefined {
  return text?.replace(/\0$/, '').split('\0');
}

function* processEvidence({ process }: RuntimeSpec, { pid, proc, begun }: KernelFacts): Generator<RunEvidence> {
  if (!process) return;
  const args = begun ? words(proc['cmdline']) : undefined;
  if (args)
    yield { pointer: '/process/args', source: `/proc/${pid}/cmdline`, found: args.join(' '), holds: same(args, process.args ?? []) };
  const environment = begun ? words(proc['environ']) : undefined;
  for (const [index, entry] of (environment ? (process.env ?? []) : []).entries()) {
    const name = entry.slice(0, entry.indexOf('=') + 1);
    // Of two of one name the later counts; runtimes may add others.
    const found = environment?.findLast((each) => each.startsWith(name)) ?? '(not there)';
    yield { pointer: `/process/env/${index}`, source: `/proc/${pid}/environ`, found, holds: found === entry };
  }
  if (proc['cwd'] !== undefined)
    yield { pointer: '/process/cwd', source: `/proc/${pid}/cwd`, found: proc['cwd'], holds: proc['cwd'] === process.cwd };
  const score = proc['oom_score_adj']?.trim();
  if (process.oomScoreAdj !== undefined && score !== undefined) {
    yield {
      pointer: '/process/oomScoreAdj',
      source: `/proc/${pid}/oom_score_adj`,
      found: score,
      holds: Number(score) === process.oomScoreAdj,
    };
  }
  for (const [index, limit] of (process.rlimits ?? []).entries()) {
    const found = lineOf(proc['limits'], LIMIT_NAMES[limit.type] ?? '(unknown)');
    if (found === undefined) continue;
    const [, soft, hard] = /\s{2,}(\S+)\s+(\S+)/.exec(found) ?? [];
    const holds = soft === limitText(limit.soft) && hard === limitText(limit.hard);
    yield { pointer: `/process/rlimits/${index}`, source: `/proc/${pid}/limits`, found, holds };
  }
}

/** As /proc/PID/limits calls them. */
const LIMIT_NAMES: Readonly<Record<string, string>> = {
  RLIMIT_CPU: 'Max cpu time',
  RLIMIT_FSIZE: 'Max file size',
  RLIMIT_DATA: 'Max data size',
  RLIMIT_STACK: 'Max stack size',
  RLIMIT_CORE: 'Max core file size',
  RLIMIT_RSS: 'Max resident set',
  RLIMIT_NPROC: 'Max processes',
  RLIMIT_NOFILE: 'Max open files',
  RLIMIT_MEMLOCK: 'Max locked memory',
  RLIMIT_AS: 'Max address space',
  RLIMIT_LOCKS: 'Max file locks',
  RLIMIT_SIGPENDING: 'Max pending signals',
  RLIMIT_MSGQUEUE: 'Max msgqueue size',
  RLIMIT_NICE: 'Max nice priority',
  RLIMIT_RTPRIO: 'Max realtime priority',
  RLIMIT_RTTIME: 'Max realtime timeout',
};

function limitText(value: number | bigint): string {
  const limit = rlimitValue(value);
  return limit === RLIMIT_UNLIMITED ? 'unlimited' : limit.toString();
}

function* rightsEvidence({ process, linux }: RuntimeSpec, { pid, proc, begun }: KernelFacts): Generator<RunEvidence> {
  const text = proc['status'];
  if (!process || text === undefined) return;
  const status = parseProcStatus(text);
  const source = `/proc/${pid}/status`;
  const line = (start: string) => lineOf(text, start) ?? '';
  const outside = (id: number, mappings: readonly SpecIdMapping[] | undefined) => mapped(id, mappings);
  const { user, capabilities } = process;
  if (user) {
    const uid = outside(user.uid, linux?.uidMappings);
    const gid = outside(user.gid, linux?.gidMappings);
    yield { pointer: '/process/user/uid', source, found: line('Uid:'), holds: status.uid[1] === uid };
    yield { pointer: '/process/user/gid', source, found: line('Gid:'), holds: status.gid[1] === gid };
    for (const [index, group] of (user.additionalGids ?? []).entries()) {
      const holds = status.groups.includes(outside(group, linux?.gidMappings));
      yield { pointer: `/process/user/additionalGids/${index}`, source, found: line('Groups:'), holds };
    }
    if (user.umask !== undefined) {
      yield {
        pointer: '/process/user/umask',
        source,
        found: line('Umask:'),
        holds: Number.parseInt(line('Umask:').slice(6), 8) === user.umask,
      };
    }
  }
  for (const [set, start] of CAPABILITY_LINES) {
    const asked = capabilities?.[set];
    if (!asked) continue;
    const held: readonly string[] = capabilitiesOfMask(status.capabilities[set]);
    const found = `${line(start)} (${held.length === 0 ? 'none' : held.join(' ')})`;
    yield { pointer: `/process/capabilities/${set}`, source, found, holds: same([...held].sort(), [...new Set(asked)].sort()) };
  }
  if (process.noNewPrivileges !== undefined) {
    yield {
      pointer: '/process/noNewPrivileges',
      source,
      found: line('NoNewPrivs:'),
      holds: status.noNewPrivileges === process.noNewPrivileges,
    };
  }
  if (linux?.seccomp) {
    // Some runtimes install it with the last breath before execve.
    const holds = status.seccompMode === 2 || begun ? { holds: status.seccompMode === 2 } : {};
    yield { pointer: '/linux/seccomp', source, found: line('Seccomp:'), ...holds };
  }
}

const CAPABILITY_LINES = [
  ['bounding', 'CapBnd:'],
  ['effective', 'CapEff:'],
  ['inheritable', 'CapInh:'],
  ['permitted', 'CapPrm:'],
  ['ambient', 'CapAmb:'],
] as const;

/** A container id as the machine sees it. */
function mapped(id: number, mappings: readonly SpecIdMapping[] | undefined): number {
  const range = mappings?.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return range ? id - range.containerID + range.hostID : id;
}

function* nameEvidence(spec: RuntimeSpec, { sysctls }: KernelFacts): Generator<RunEvidence> {
  for (const [pointer, name, asked] of [
    ['/hostname', 'kernel/hostname', spec.hostname],
    ['/domainname', 'kernel/domainname', spec.domainname],
  ] as const) {
    const found = sysctls[name];
    if (asked && found !== undefined) yield { pointer, source: `/proc/sys/${name} (inside)`, found, holds: found === asked };
  }
  for (const [key, asked] of Object.entries(spec.linux?.sysctl ?? {})) {
    const name = sysctlPath(key);
    const found = sysctls[name];
    const pointer = `/linux/sysctl/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    // The kernel writes columns with tabs.
    if (found !== undefined)
      yield { pointer, source: `/proc/sys/${name} (inside)`, found, holds: same(found.split(/\s+/), asked.trim().split(/\s+/)) };
  }
}

const NAMESPACE_LINKS: Readonly<Record<string, keyof KernelFacts['namespaces']>> = {
  user: 'user',
  mount: 'mnt',
  pid: 'pid',
  network: 'net',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  time: 'time',
};

function* namespaceEvidence({ linux }: RuntimeSpec, { pid, namespaces, ourNamespaces }: KernelFacts): Generator<RunEvidence> {
  for (const [index, { type, path }] of (linux?.namespaces ?? []).entries()) {
    const link = NAMESPACE_LINKS[type];
    const inode = link && namespaces[link];
    if (link === undefined || inode === undefined) continue;
    const ours = ourNamespaces[link];
    const pointer = `/linux/namespaces/${index}`;
    const found = `${link}:[${inode}]; the machine's is ${link}:[${ours ?? '?'}]`;
    // Which one a path led to cannot be told afterwards.
    yield { pointer, source: `/proc/${pid}/ns/${link}`, found, ...(path ? {} : { holds: inode !== ours }) };
  }
}

function* limitEvidence({ cgroupFiles }: KernelFacts): Generator<RunEvidence> {
  for (const { path, value, write } of cgroupFiles) {
    const holds = write.readBack === undefined ? {} : { holds: isReadBack(write.readBack, value) };
    yield { pointer: write.pointer, source: path, found: value, ...holds };
  }
}

function* linuxEvidence({ linux }: RuntimeSpec, { pid, proc }: KernelFacts): Generator<RunEvidence> {
  const membership = proc['cgroup'];
  if (linux?.cgroupsPath && membership !== undefined) {
    const path = linux.cgroupsPath;
    const holds = path.startsWith('/') ? membership.split('\n').some((line) => line.endsWith(`:${path}`)) : undefined;
    yield {
      pointer: '/linux/cgroupsPath',
      source: `/proc/${pid}/cgroup`,
      found: membership.trimEnd(),
      ...(holds === undefined ? {} : { holds }),
    };
  }
  for (const [field, file] of [
    ['uidMappings', 'uid_map'],
    ['gidMappings', 'gid_map'],
  ] as const) {
    const map = proc[file]?.trim().split('\n');
    for (const [index, { containerID, hostID, size }] of (map ? (linux?.[field] ?? []) : []).entries()) {
      const wanted = `${containerID} ${hostID} ${size}`;
      const found = map?.find((line) => line.trim().replace(/\s+/g, ' ') === wanted);
      yield {
        pointer: `/linux/${field}/${index}`,
        source: `/proc/${pid}/${file}`,
        found: found?.trim() ?? map?.join('; ') ?? '',
        holds: found !== undefined,
      };
    }
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

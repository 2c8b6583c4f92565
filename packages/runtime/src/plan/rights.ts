/**
 * What the process may do: limits, user, capabilities, no_new_privs.
 *
 * Knows: the order the kernel forces on them.
 * Does not know: names of users; ids only.
 *
 *     rlimits, scheduling, labels → seccomp without no_new_privs → working directory → bounding set → user (keeping capabilities) → capabilities → umask → no_new_privs
 *
 * @spec runtime-spec/config.md#posix-process
 */
import type { RuntimeSpec, SpecIdMapping } from '@slipway/oci';
import { planCapabilities } from './capabilities.ts';
import { type Draft, invalid } from './draft.ts';
import type { HostFacts } from './host.ts';
import { planLabels } from './labels.ts';
import { planLimits } from './limits.ts';
import { userNamespaceOf } from './namespaces.ts';
import { planScheduling } from './scheduling.ts';
import { planEarlySeccomp, type SeccompSubject } from './seccomp.ts';
import { planProgram } from './start.ts';

const DEFAULT_UMASK = 0o022;

export function planRights(draft: Draft, spec: RuntimeSpec, host: HostFacts, subject: SeccompSubject): void {
  const { process } = spec;
  if (process === undefined) throw invalid('/process', 'a container needs a process');
  planLimits(draft, spec, host);
  planScheduling(draft, spec);
  planLabels(draft, spec, host);
  planEarlySeccomp(draft, spec, subject);
  // As root: a user may start in a directory that it could not enter by itself. A further process takes the tree as it finds it.
  draft.add(
    'rights',
    { pointer: '/process/cwd', reason: 'where the process starts, checked to lie inside' },
    { op: 'workdir', path: process.cwd, create: subject.status === 'creating' },
  );
  const capabilities = planCapabilities(draft, spec, host);
  capabilities.dropBounding();
  planUser(draft, spec);
  capabilities.apply();
  const umask = process.user?.umask ?? DEFAULT_UMASK;
  draft.add('rights', { pointer: '/process/user/umask', reason: 'not the umask of whoever called us' }, { op: 'umask', mask: umask });
  if (process.noNewPrivileges === true) {
    draft.add('rights', { pointer: '/process/noNewPrivileges', reason: 'no program it starts may gain rights' }, { op: 'noNewPrivileges' });
  }
  planProgram(draft, process);
}

/** @spec runtime-spec/config.md#posix-platform-user */
function planUser(draft: Draft, spec: RuntimeSpec): void {
  const { uid = 0, gid = 0, additionalGids = [] } = spec.process?.user ?? {};
  if (userNamespaceOf(spec) === 'new') {
    requireMapped('/process/user/uid', uid, spec.linux?.uidMappings);
    for (const id of [gid, ...additionalGids]) requireMapped('/process/user/gid', id, spec.linux?.gidMappings);
  }
  draft.add('rights', { pointer: '/process/user', reason: `run as user ${uid}, group ${gid}` }, { op: 'user', uid, gid, additionalGids });
}

function requireMapped(pointer: string, id: number, mappings: readonly SpecIdMapping[] = []): void {
  if (mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size)) return;
  throw invalid(pointer, `id ${id} is not mapped in the user namespace`);
}

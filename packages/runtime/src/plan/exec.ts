/**
 * Entering a running container: its namespaces and its cgroup.
 *
 * Knows: the order of joining.
 * Does not know: which namespaces those are; ContainerFacts lists what differs from ours.
 */
import type { RuntimeSpec } from '@slipway/oci';
import { type Draft, unsupported } from './draft.ts';
import type { ContainerFacts, HostFacts } from './host.ts';
import { joinsExisting, type NamespaceUse, planJoins, userNamespaceOf } from './namespaces.ts';
import { isRootless, planRootless } from './rootless.ts';
import { planExecAffinity } from './scheduling.ts';

export function planEntry(draft: Draft, spec: RuntimeSpec, host: HostFacts, container: ContainerFacts): void {
  const rootless = isRootless(host);
  const user = container.namespaces.find(({ kind }) => kind === 'user');
  if (rootless && user === undefined) {
    const what = 'the container does not let us see its namespaces: without root, only those of a started process are seen';
    throw unsupported('/linux/namespaces', what, 'start it first');
  }
  if (rootless && user !== undefined) planRootless(draft, { pointer: '/linux/namespaces', path: user.hostPath, uid: [], gid: [] }, host);
  const origin = { pointer: '/root/path', reason: 'the container’s root directory, as its first process sees it' };
  draft.add('prepare', origin, { op: 'openRoot', hostPath: `/proc/${container.pid}/root` });
  draft.add('clone', { pointer: '', reason: 'a new process, still in our namespaces' }, { op: 'clone', namespaces: [] });
  planExecAffinity(draft, spec.process, 'initial');
  if (container.procsFiles.length > 0) {
    const why = { pointer: '/linux/cgroupsPath', reason: 'the container’s limits hold for every process in it' };
    draft.add('identity', why, { op: 'joinCgroup', procsFiles: container.procsFiles });
  }
  planExecAffinity(draft, spec.process, 'final');
  const oomScoreAdj = spec.process?.oomScoreAdj;
  if (oomScoreAdj !== undefined) {
    draft.add(
      'identity',
      { pointer: '/process/oomScoreAdj', reason: 'as the container’s first process' },
      { op: 'oomScore', value: oomScoreAdj },
    );
  }
  const uses = container.namespaces
    .filter(({ kind }) => !rootless || kind !== 'user')
    .map(({ kind, hostPath }): NamespaceUse => ({ kind, pointer: '/linux/namespaces', path: hostPath }));
  planJoins(draft, uses);
  if (userNamespaceOf(spec) !== 'own') {
    draft.add(
      'identity',
      { pointer: '/linux/namespaces', reason: 'root of the user namespace, before the user is chosen' },
      { op: 'becomeRoot' },
    );
  }
  if (container.noNewKeyring !== true) {
    draft.add(
      'identity',
      { pointer: '', reason: 'the container’s keyring, not the caller’s' },
      { op: 'sessionKeyring', name: `_ses.${container.id}` },
    );
  }
  draft.add('identity', { pointer: '', reason: 'not in the session of whoever called us' }, { op: 'newSession' });
  if (!container.namespaces.some(({ kind }) => kind === 'mount') || joinsExisting(spec, 'mount')) {
    draft.add(
      'root',
      { pointer: '/root/path', reason: 'the container has no mount namespace to itself, only a root directory' },
      { op: 'chroot' },
    );
  }
}

/**
 * Namespaces, id maps and everything that decides who the new process is.
 *
 * Knows: which namespace is made by clone, which is joined, and which must wait for the cgroup.
 * Does not know: what is mounted inside.
 *
 * @spec runtime-spec/config-linux.md#namespaces
 */
import type { IdMapping, NamespaceKind } from '@slipway/launcher';
import type { RuntimeSpec, SpecIdMapping } from '@slipway/oci';
import { clampsByDefault } from './clamp.ts';
import { planDeviceProgram } from './device-program.ts';
import { type Draft, invalid, unsupported } from './draft.ts';
import type { Host } from './host.ts';

export interface NamespaceUse {
  readonly kind: NamespaceKind;
  readonly pointer: string;
  /** Absent: a new one. */
  readonly path?: string;
}

const KINDS: readonly NamespaceKind[] = ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'];

/** The namespaces a document asks for, each kind at most once. */
export function namespacesOf(spec: RuntimeSpec): readonly NamespaceUse[] {
  return (spec.linux?.namespaces ?? []).map(({ type, path }, index) => {
    const pointer = `/linux/namespaces/${index}`;
    const kind = KINDS.find((known) => known === type);
    if (kind === undefined) throw unsupported(pointer, `namespace type "${type}" is not supported`);
    return path === undefined || path === '' ? { kind, pointer } : { kind, pointer, path };
  });
}

/** Where the container's user namespace comes from; `own` when it shares ours. */
export function userNamespaceOf(spec: RuntimeSpec): 'new' | 'joined' | 'own' {
  const user = namespacesOf(spec).find(({ kind }) => kind === 'user');
  if (user === undefined) return 'own';
  return user.path === undefined ? 'new' : 'joined';
}

/** True when the container does not share this namespace with us. */
export function hasOwn(spec: RuntimeSpec, kind: NamespaceKind): boolean {
  return namespacesOf(spec).some((use) => use.kind === kind);
}

export function planNamespaces(draft: Draft, spec: RuntimeSpec, host: Host): void {
  const uses = namespacesOf(spec);
  draft.add(
    'prepare',
    { pointer: '/root/path', reason: 'every path of the container is resolved below this directory' },
    { op: 'openRoot', hostPath: host.rootfs },
  );
  requireMountNamespace(spec, uses);
  requireJoinable(spec, uses);
  const fresh = uses.filter(({ path }) => path === undefined);
  // What a joined user namespace is to own has to be made from inside it, so clone makes nothing then.
  const inClone = userNamespaceOf(spec) === 'joined' ? [] : fresh.filter(({ kind }) => kind !== 'cgroup');
  planClone(draft, inClone, host);
  planIdentity(draft, spec, host);
  planJoins(draft, uses);
  planArrival(
    draft,
    spec,
    host,
    fresh.filter((use) => !inClone.includes(use)),
  );
}

/** Two combinations that the kernel's ownership of namespaces rules out for one child. */
function requireJoinable(spec: RuntimeSpec, uses: readonly NamespaceUse[]): void {
  const user = userNamespaceOf(spec);
  const foreign = uses.find(({ kind, path }) => path !== undefined && kind !== 'user');
  if (user === 'new' && foreign !== undefined) {
    throw unsupported(
      `${foreign.pointer}/path`,
      `joining a ${foreign.kind} namespace together with a new user namespace is not supported`,
      'join the user namespace that owns it',
    );
  }
  const pid = uses.find(({ kind, path }) => kind === 'pid' && path === undefined);
  if (user === 'joined' && pid !== undefined) {
    throw unsupported(
      pid.pointer,
      'a new pid namespace inside a joined user namespace is not supported',
      'join a pid namespace of the same owner',
    );
  }
}

/** The user namespace comes last: until then our rights outside are enough for all the others. */
export function planJoins(draft: Draft, uses: readonly NamespaceUse[]): void {
  const joined = uses.filter(({ path }) => path !== undefined).toSorted((a, b) => Number(a.kind === 'user') - Number(b.kind === 'user'));
  for (const { kind, pointer, path = '' } of joined) {
    const slot = draft.openNamespace(
      { pointer, reason: `the ${kind} namespace to join, opened while its path is still visible` },
      kind,
      path,
    );
    draft.add('identity', { pointer, reason: `share the ${kind} namespace at the given path` }, { op: 'joinNamespace', slot, kind });
  }
}

function planClone(draft: Draft, fresh: readonly NamespaceUse[], host: Host): void {
  const kinds = fresh.map(({ kind }) => kind).filter((kind) => kind !== 'cgroup');
  const reason =
    kinds.length === 0
      ? 'a new process in our namespaces'
      : `a new process with its own ${kinds.join(', ')} namespace${kinds.length > 1 ? 's' : ''}`;
  const cgroup = v2Cgroup(host);
  draft.add(
    'clone',
    { pointer: '/linux/namespaces', reason },
    { op: 'clone', namespaces: kinds, ...(cgroup === undefined ? {} : { cgroup }) },
  );
}

/** Where the child is born rather than moved to: clone3 takes one v2 cgroup. */
function v2Cgroup({ cgroupDirs }: Host): string | undefined {
  return cgroupDirs['unified'];
}

function planCgroups(draft: Draft, host: Host): void {
  const v2 = v2Cgroup(host);
  const procsFiles = host.procsFiles.filter((file) => file !== `${v2}/cgroup.procs`);
  if (procsFiles.length === 0) return;
  const reason =
    host.bornInGroups === true
      ? 'it was born in them, to a process that stood there already'
      : 'limits hold from the first instruction of the container';
  draft.add('identity', { pointer: '/linux/cgroupsPath', reason }, { op: 'joinCgroup', procsFiles });
}

/** @spec runtime-spec/config-linux.md#user-namespace-mappings */
function planIdentity(draft: Draft, spec: RuntimeSpec, host: Host): void {
  if (userNamespaceOf(spec) === 'new') {
    const uid = toIdMappings(spec.linux?.uidMappings);
    const gid = toIdMappings(spec.linux?.gidMappings);
    if (uid.length === 0) throw invalid('/linux/uidMappings', 'a new user namespace needs uidMappings');
    if (gid.length === 0) throw invalid('/linux/gidMappings', 'a new user namespace needs gidMappings');
    // Whoever may not set groups outside must not gain it inside: a group can also take rights away.
    const denySetgroups = !host.capabilities.includes(6);
    draft.add(
      'identity',
      { pointer: '/linux/uidMappings', reason: 'ids inside the user namespace are other ids outside' },
      { op: 'idmap', uid, gid, denySetgroups },
    );
  }
  planDeviceProgram(draft, spec, host);
  planCgroups(draft, host);
  planOomScore(draft, spec, host);
}

function planOomScore(draft: Draft, spec: RuntimeSpec, host: Host): void {
  const wanted = spec.process?.oomScoreAdj;
  if (wanted === undefined) return;
  const mayLower = host.capabilities.includes(24);
  const value = clampsByDefault(spec, 'oomScoreAdj') && !mayLower ? Math.max(wanted, host.oomScoreAdj) : wanted;
  if (value !== wanted)
    draft.warn(`oom_score_adj ${wanted} became ${value}: lowering it needs CAP_SYS_RESOURCE, which this host withholds`);
  draft.add(
    'identity',
    { pointer: '/process/oomScoreAdj', reason: 'how readily the kernel kills it when memory runs out' },
    { op: 'oomScore', value },
  );
}

/** First steps inside: who we are there, and what must not be shared with the caller. */
function planArrival(draft: Draft, spec: RuntimeSpec, host: Host, rest: readonly NamespaceUse[]): void {
  if (userNamespaceOf(spec) !== 'own') {
    draft.add(
      'identity',
      { pointer: '/linux/namespaces', reason: 'root of the user namespace sets the container up' },
      { op: 'becomeRoot' },
    );
  }
  planUnshare(draft, rest);
  if (host.noNewKeyring !== true) {
    draft.add(
      'identity',
      { pointer: '', reason: 'keys of the caller stay with the caller' },
      { op: 'sessionKeyring', name: `_ses.${host.id}` },
    );
  }
  draft.add('identity', { pointer: '', reason: 'the first process leads a session of its own' }, { op: 'newSession' });
}

/** Namespaces that clone could not make: the cgroup one, whose root is the cgroup we are in by now, and those of a joined user namespace. */
function planUnshare(draft: Draft, rest: readonly NamespaceUse[]): void {
  const [first] = rest;
  if (first === undefined) return;
  const kinds = rest.map(({ kind }) => kind);
  draft.add(
    'identity',
    { pointer: first.pointer, reason: `only now can it have its own ${kinds.join(', ')} namespace` },
    { op: 'unshare', namespaces: kinds },
  );
}

export function toIdMappings(mappings: readonly SpecIdMapping[] = []): IdMapping[] {
  return mappings.map(({ containerID, hostID, size }) => ({ containerId: containerID, hostId: hostID, size }));
}

/** Without a mount namespace of its own, every mount of the container would be the host's too. */
function requireMountNamespace(spec: RuntimeSpec, uses: readonly NamespaceUse[]): void {
  const mount = uses.find(({ kind }) => kind === 'mount');
  if (mount !== undefined && mount.path === undefined) return;
  if (mount !== undefined) throw unsupported(`${mount.pointer}/path`, 'joining a mount namespace at creation is not supported');
  const asking = [
    ['/mounts', spec.mounts],
    ['/linux/maskedPaths', spec.linux?.maskedPaths],
    ['/linux/readonlyPaths', spec.linux?.readonlyPaths],
  ] as const;
  for (const [pointer, list] of asking) {
    if ((list?.length ?? 0) > 0) throw invalid(pointer, 'needs a mount namespace, or it would change the mounts of the host');
  }
  if (spec.root?.readonly === true) throw invalid('/root/readonly', 'needs a mount namespace, or it would change the mounts of the host');
}

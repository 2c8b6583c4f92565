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
import { type Draft, invalid, missingRight, unsupported } from './draft.ts';
import type { Host } from './host.ts';
import { planNetDevices } from './net-devices.ts';
import { isRootless, planRootless, type WantedUserNamespace } from './rootless.ts';

export interface NamespaceUse {
  readonly kind: NamespaceKind;
  readonly pointer: string;
  /** Absent: a new one. */
  readonly path?: string;
}

const KINDS: readonly NamespaceKind[] = ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup', 'time'];

type SpecNamespaces = NonNullable<NonNullable<RuntimeSpec['linux']>['namespaces']>;

/** Every part of a plan asks. */
const usesOf = new WeakMap<SpecNamespaces, readonly NamespaceUse[]>();

/** The namespaces a document asks for, each kind at most once. */
export function namespacesOf({ linux }: RuntimeSpec): readonly NamespaceUse[] {
  const namespaces = linux?.namespaces;
  if (namespaces === undefined) return [];
  const known = usesOf.get(namespaces);
  if (known !== undefined) return known;
  const uses = readNamespaces(namespaces);
  usesOf.set(namespaces, uses);
  return uses;
}

function readNamespaces(namespaces: SpecNamespaces): readonly NamespaceUse[] {
  return namespaces.map(({ type, path }, index) => {
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

/** True when the container joins the namespace of this kind that others are in. */
export function joinsExisting(spec: RuntimeSpec, kind: NamespaceKind): boolean {
  return namespacesOf(spec).some((use) => use.kind === kind && use.path !== undefined);
}

/** True when the container does not share this namespace with us. */
export function hasOwn(spec: RuntimeSpec, kind: NamespaceKind): boolean {
  return namespacesOf(spec).some((use) => use.kind === kind);
}

export function planNamespaces(draft: Draft, spec: RuntimeSpec, host: Host): void {
  const all = namespacesOf(spec);
  const rootless = isRootless(host);
  if (rootless) planRootless(draft, wantedUser(spec, all), host);
  // What the launcher has entered itself is the child's from the start.
  const uses = rootless ? all.filter(({ kind }) => kind !== 'user') : all;
  draft.add(
    'prepare',
    { pointer: '/root/path', reason: 'every path of the container is resolved below this directory' },
    { op: 'openRoot', hostPath: host.rootfs },
  );
  requireMountNamespace(spec, uses);
  requireRightToMount(spec, uses);
  const fresh = uses.filter(({ path }) => path === undefined);
  const through = !rootless && entersFirst(spec, uses);
  planClone(
    draft,
    fresh.filter(({ kind }) => kind !== 'cgroup' && kind !== 'time'),
    through ? openAll(draft, uses) : [],
    host,
  );
  planIdentity(draft, spec, host);
  const slots = through ? undefined : planJoins(draft, uses);
  planNetDevices(draft, spec, hasOwn(spec, 'network') ? (slots?.get('network') ?? 'own') : 'none');
  planArrival(draft, spec, host, fresh);
}

/**
 * Where a user namespace takes part, joining is not the child's to do: new namespaces have to be made from inside a user namespace
 * that is joined, and a new one has no rights over others that are joined.
 */
function entersFirst(spec: RuntimeSpec, uses: readonly NamespaceUse[]): boolean {
  return userNamespaceOf(spec) !== 'own' && uses.some(({ path }) => path !== undefined);
}

/** Who mounts in a namespace must have rights in the user namespace that owns it; a new one owns only what is new. */
function requireRightToMount(spec: RuntimeSpec, uses: readonly NamespaceUse[]): void {
  const mount = uses.find(({ kind, path }) => kind === 'mount' && path !== undefined);
  if (mount === undefined || userNamespaceOf(spec) !== 'new') return;
  throw unsupported(
    `${mount.pointer}/path`,
    'the kernel lets nobody from a new user namespace mount in a mount namespace that is older',
    'join the user namespace that owns it',
  );
}

/** The user namespace comes last: until then our rights outside are enough for all the others. */
function joinOrder(uses: readonly NamespaceUse[]): readonly NamespaceUse[] {
  return uses.filter(({ path }) => path !== undefined).toSorted((a, b) => Number(a.kind === 'user') - Number(b.kind === 'user'));
}

function openAll(draft: Draft, uses: readonly NamespaceUse[]): readonly number[] {
  return joinOrder(uses).map(({ kind, pointer, path = '' }) => {
    const reason = `the ${kind} namespace to enter before the process is made`;
    return draft.openNamespace({ pointer, reason }, kind, path);
  });
}

/** Returns the slot of each. */
export function planJoins(draft: Draft, uses: readonly NamespaceUse[]): ReadonlyMap<NamespaceKind, number> {
  const slots = joinOrder(uses).map(({ kind, pointer, path = '' }) => {
    const reason = `the ${kind} namespace to join, opened while its path is still visible`;
    const slot = draft.openNamespace({ pointer, reason }, kind, path);
    draft.add('identity', { pointer, reason: `share the ${kind} namespace at the given path` }, { op: 'joinNamespace', slot, kind });
    return [kind, slot] as const;
  });
  return new Map(slots);
}

function planClone(draft: Draft, fresh: readonly NamespaceUse[], through: readonly number[], host: Host): void {
  const kinds = fresh.map(({ kind }) => kind);
  const own = kinds.length === 0 ? 'in our namespaces' : `with its own ${kinds.join(', ')} namespace${kinds.length > 1 ? 's' : ''}`;
  const made = through.length === 0 ? '' : ', made from inside those to be joined';
  const cgroup = v2Cgroup(host);
  draft.add(
    'clone',
    { pointer: '/linux/namespaces', reason: `a new process ${own}${made}` },
    { op: 'clone', namespaces: kinds, ...(cgroup === undefined ? {} : { cgroup }), ...(through.length === 0 ? {} : { through }) },
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

function mapsOf(spec: RuntimeSpec): { readonly uid: readonly IdMapping[]; readonly gid: readonly IdMapping[] } {
  const uid = toIdMappings(spec.linux?.uidMappings);
  const gid = toIdMappings(spec.linux?.gidMappings);
  if (userNamespaceOf(spec) === 'joined') return { uid, gid };
  if (uid.length === 0) throw invalid('/linux/uidMappings', 'a new user namespace needs uidMappings');
  if (gid.length === 0) throw invalid('/linux/gidMappings', 'a new user namespace needs gidMappings');
  return { uid, gid };
}

function wantedUser(spec: RuntimeSpec, uses: readonly NamespaceUse[]): WantedUserNamespace | undefined {
  const use = uses.find(({ kind }) => kind === 'user');
  if (use === undefined) return undefined;
  const { pointer, path } = use;
  return { pointer, ...(path === undefined ? {} : { path }), ...mapsOf(spec) };
}

/** @spec runtime-spec/config-linux.md#user-namespace-mappings */
function planIdentity(draft: Draft, spec: RuntimeSpec, host: Host): void {
  if (userNamespaceOf(spec) === 'new' && !isRootless(host)) {
    const { uid, gid } = mapsOf(spec);
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
  const mayLower = host.capabilities.includes(24) && !host.inUserNamespace;
  // Between 0 and ours the kernel remembers how low a privileged process once set it; only it can tell.
  if (wanted < Math.min(host.oomScoreAdj, 0) && !mayLower && !clampsByDefault(spec, 'oomScoreAdj'))
    throw missingRight('/process/oomScoreAdj', `it cannot be lowered from ${host.oomScoreAdj} to ${wanted}`, 'CAP_SYS_RESOURCE');
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
function planArrival(draft: Draft, spec: RuntimeSpec, host: Host, fresh: readonly NamespaceUse[]): void {
  if (userNamespaceOf(spec) !== 'own') {
    draft.add(
      'identity',
      { pointer: '/linux/namespaces', reason: 'root of the user namespace sets the container up' },
      { op: 'becomeRoot' },
    );
  }
  planUnshare(draft, fresh);
  planTime(draft, spec, fresh);
  if (host.noNewKeyring !== true) {
    draft.add(
      'identity',
      { pointer: '', reason: 'keys of the caller stay with the caller' },
      { op: 'sessionKeyring', name: `_ses.${host.id}` },
    );
  }
  draft.add('identity', { pointer: '', reason: 'the first process leads a session of its own' }, { op: 'newSession' });
}

/** The root of a cgroup namespace is the cgroup its maker is in, so clone came too early for it. */
function planUnshare(draft: Draft, fresh: readonly NamespaceUse[]): void {
  const cgroup = fresh.find(({ kind }) => kind === 'cgroup');
  if (cgroup === undefined) return;
  const origin = { pointer: cgroup.pointer, reason: 'only now can it have its own cgroup namespace' };
  draft.add('identity', origin, { op: 'unshare', namespaces: ['cgroup'] });
}

/**
 * Offsets have to be written between the making of a time namespace and the first entry into it.
 *
 * @spec runtime-spec/config-linux.md#offset-for-time-namespace
 */
function planTime(draft: Draft, spec: RuntimeSpec, fresh: readonly NamespaceUse[]): void {
  const time = fresh.find(({ kind }) => kind === 'time');
  const offsets = Object.entries(spec.linux?.timeOffsets ?? {}).map(([clock, { secs = 0, nanosecs = 0 }]) => ({ clock, secs, nanosecs }));
  if (time === undefined && offsets.length > 0)
    throw invalid('/linux/timeOffsets', 'needs a new time namespace: the clocks of others are set');
  if (time === undefined) return;
  const reason = offsets.length === 0 ? 'clocks of its own, which agree with ours so far' : 'clocks of its own, ahead of ours or behind';
  draft.add('identity', { pointer: offsets.length === 0 ? time.pointer : '/linux/timeOffsets', reason }, { op: 'timeNamespace', offsets });
}

export function toIdMappings(mappings: readonly SpecIdMapping[] = []): IdMapping[] {
  return mappings.map(({ containerID, hostID, size }) => ({ containerId: containerID, hostId: hostID, size }));
}

/** Without a mount namespace of its own, every mount of the container would be the host's too. */
function requireMountNamespace(spec: RuntimeSpec, uses: readonly NamespaceUse[]): void {
  const mount = uses.find(({ kind }) => kind === 'mount');
  if (mount !== undefined) return;
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

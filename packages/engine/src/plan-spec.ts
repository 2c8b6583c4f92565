/**
 * Everything known about a container → its OCI config.json. Pure.
 *
 * Knows: what an ordinary container gets, and how a request changes it.
 * Does not know: how any of it is done, nor the values a host forces us to clamp (packages/runtime).
 *
 * @spec runtime-spec/config.md
 */
import { EngineError } from '@slipway/errors';
import { CAPABILITY_NAMES, DOCKER_DEFAULTS, OCI_VERSION, parseCapability, type RuntimeSpec, type SpecProcess } from '@slipway/oci';
import type { ContainerRecord, HostRequest } from './container.ts';
import { type EtcPaths, planMounts } from './plan-mounts.ts';
import { planResources, planRlimits } from './plan-resources.ts';
import type { ResolvedUser } from './resolve-user.ts';

type PlannedContainer = Pick<ContainerRecord, 'id' | 'name' | 'request' | 'process'>;

/** What a document says of a container before there is a root file system, and a user to be found in it. */
export interface SpecOutline {
  readonly container: PlannedContainer;
  /** Capabilities that nothing in it can ever exceed. */
  readonly bounding: readonly string[];
  readonly mounts: NonNullable<RuntimeSpec['mounts']>;
  readonly rlimits: NonNullable<SpecProcess['rlimits']>;
  readonly resources: NonNullable<NonNullable<RuntimeSpec['linux']>['resources']>;
}

/** What is known last. */
export interface SpecRest {
  readonly user: ResolvedUser;
  /** Host path the root file system is mounted on. */
  readonly rootfs: string;
  /** The engine's default seccomp profile; used unless the request lifts it. */
  readonly seccomp?: NonNullable<RuntimeSpec['linux']>['seccomp'];
}

/** Namespace names: the request's words → the spec's. */
const HOST_NAMESPACE = { pid: 'pid', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup' } as const;

/** @throws invalid-argument for everything that a document of this container could never say */
export function outlineSpec(container: PlannedContainer, etc: EtcPaths): SpecOutline {
  const { host } = container.request;
  return {
    container,
    bounding: planBoundingSet(host),
    mounts: planMounts(host, etc),
    rlimits: planRlimits(host.ulimits),
    resources: planResources(host),
  };
}

export function planSpec(outline: SpecOutline, rest: SpecRest): RuntimeSpec {
  const { container, mounts } = outline;
  const { host } = container.request;
  return {
    ociVersion: OCI_VERSION,
    process: planProcess(outline, rest.user),
    root: { path: rest.rootfs, readonly: host.readonlyRootfs },
    ...(host.hostNamespaces.includes('uts') ? {} : { hostname: container.process.hostname }),
    ...(container.request.domainname ? { domainname: container.request.domainname } : {}),
    mounts,
    annotations: {
      'dev.slipway.name': container.name,
      // Nobody chose that score: the runtime may clamp it to what this host can give.
      ...(host.oomScoreAdj === undefined ? { 'dev.slipway.defaults': 'oomScoreAdj' } : {}),
    },
    linux: planLinux(outline, rest.seccomp),
  };
}

function planProcess({ container, bounding, rlimits }: SpecOutline, user: ResolvedUser): SpecProcess {
  const { request } = container;
  const { args, cwd, env } = container.process;
  return {
    terminal: request.tty,
    ...(request.tty && request.consoleSize !== undefined ? { consoleSize: request.consoleSize } : {}),
    cwd,
    args,
    env: env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${user.home}`],
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    capabilities: capabilitySets(bounding, user.uid),
    rlimits,
    noNewPrivileges: request.host.noNewPrivileges,
    oomScoreAdj: request.host.oomScoreAdj ?? DOCKER_DEFAULTS.oomScoreAdj,
  };
}

/** Ordinary users get the set as a bound only: a set-user-id program may use it, the process itself holds nothing. */
export function planCapabilities(host: HostRequest, uid: number): NonNullable<SpecProcess['capabilities']> {
  return capabilitySets(planBoundingSet(host), uid);
}

function capabilitySets(bounding: readonly string[], uid: number): NonNullable<SpecProcess['capabilities']> {
  const held = uid === 0 ? bounding : [];
  return { bounding, effective: held, permitted: held, inheritable: [], ambient: [] };
}

function planBoundingSet({ capAdd, capDrop, privileged }: HostRequest): readonly string[] {
  if (privileged) return CAPABILITY_NAMES;
  if (capAdd.length === 0 && capDrop.length === 0) return DOCKER_DEFAULTS.capabilities;
  const all = (list: readonly string[]) => list.some((name) => name.toUpperCase() === 'ALL');
  const added = readCapabilities(capAdd);
  const dropped = new Set(readCapabilities(capDrop));
  const base: readonly string[] = all(capAdd) ? CAPABILITY_NAMES : all(capDrop) ? [] : DOCKER_DEFAULTS.capabilities;
  const kept = base.filter((name) => !dropped.has(name));
  return [...new Set([...kept, ...added])];
}

function readCapabilities(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => name.toUpperCase() !== 'ALL')
    .map((name) => {
      const known = parseCapability(name);
      if (known !== undefined) return known;
      throw new EngineError('invalid-argument', `unknown capability: '${name}'`, {
        code: 'E_CONTAINER_CONFIG',
        op: 'container.create',
        hint: 'see capabilities(7) for the names',
      });
    });
}

function planLinux({ container, resources }: SpecOutline, seccomp: SpecRest['seccomp']): NonNullable<RuntimeSpec['linux']> {
  const { host } = container.request;
  const open = host.privileged;
  return {
    namespaces: planNamespaces(host),
    resources,
    ...(Object.keys(host.sysctls).length === 0 ? {} : { sysctl: host.sysctls }),
    ...(open ? {} : { maskedPaths: DOCKER_DEFAULTS.maskedPaths, readonlyPaths: DOCKER_DEFAULTS.readonlyPaths }),
    ...(seccomp === undefined || open || host.seccomp === 'unconfined' ? {} : { seccomp }),
  };
}

const ALL_NAMESPACES: readonly { readonly type: string }[] = [...DOCKER_DEFAULTS.namespaces, 'cgroup'].map((type) => ({ type }));

function planNamespaces(host: HostRequest): readonly { readonly type: string }[] {
  const shared = new Set<string>(host.hostNamespaces.map((name) => HOST_NAMESPACE[name]));
  if (host.network === 'host') shared.add('network');
  return shared.size === 0 ? ALL_NAMESPACES : ALL_NAMESPACES.filter(({ type }) => !shared.has(type));
}

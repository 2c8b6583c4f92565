/**
 * The engine's containers as Docker's JSON: the long form of inspect and the short one of the list.
 *
 * Knows: Docker's field names, and which zero stands for "none".
 * Does not know: where containers come from.
 *
 * @spec docker-api/v1.47#operation/ContainerInspect
 */
import { familiarReference, parseReference, signalName } from '@slipway/oci';
import type { BackendContainer, BackendDiskUsage, BackendHost } from './backend.ts';
import { humanDuration, ZERO_TIME } from './human-duration.ts';

type Json = Readonly<Record<string, unknown>>;

const API_STATUS = {
  created: 'created',
  running: 'running',
  paused: 'paused',
  exited: 'exited',
  removing: 'removing',
  dead: 'dead',
} as const;

/** `GET /containers/{id}/json`. */
export function toInspectJson(container: BackendContainer, execIds: readonly string[], paths: { readonly logPath: string }): Json {
  const { id, name, request, process } = container;
  return {
    Id: id,
    Created: container.createdAt,
    Path: process.args[0] ?? '',
    Args: process.args.slice(1),
    State: toStateJson(container),
    Image: container.imageId,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: paths.logPath,
    Name: `/${name}`,
    RestartCount: 0,
    Driver: 'overlay',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length === 0 ? null : execIds,
    HostConfig: toHostConfigJson(request.host),
    GraphDriver: toGraphDriverJson(container),
    Mounts: toMountsJson(request.host),
    Config: toConfigJson(container),
    NetworkSettings: toNetworkJson(request.host),
  };
}

/** The keys that docker's overlay driver has; a copied root is one directory. */
function toGraphDriverJson({ rootfs }: BackendContainer): Json {
  if (rootfs === undefined) return { Name: 'overlay', Data: null };
  const { snapshotter, mount, upperDirectory, lower } = rootfs;
  if (snapshotter === 'native') return { Name: 'native', Data: { MergedDir: upperDirectory } };
  const workDir = mount?.data.find((option) => option.startsWith('workdir='))?.slice('workdir='.length) ?? '';
  const lowerDir = lower.map(({ directory }) => directory).toReversed();
  return { Name: 'overlay', Data: { LowerDir: lowerDir.join(':'), UpperDir: upperDirectory, WorkDir: workDir } };
}

function toStateJson(container: BackendContainer): Json {
  const { status, exit } = container;
  const alive = status === 'running' || status === 'paused';
  return {
    Status: API_STATUS[status],
    Running: alive,
    Paused: status === 'paused',
    Restarting: false,
    OOMKilled: !alive && exit?.oomKilled === true,
    Dead: status === 'dead',
    Pid: alive ? (container.pid ?? 0) : 0,
    ExitCode: alive ? 0 : (exit?.code ?? 0),
    Error: container.error ?? '',
    StartedAt: container.startedAt ?? ZERO_TIME,
    FinishedAt: alive || container.startedAt === undefined ? ZERO_TIME : (exit?.at ?? ZERO_TIME),
  };
}

function toConfigJson({ request, process: own }: BackendContainer): Json {
  return {
    Hostname: own.hostname,
    Domainname: request.domainname ?? '',
    User: own.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: request.tty,
    OpenStdin: request.openStdin,
    StdinOnce: request.stdinOnce,
    Env: own.env,
    Cmd: request.command ?? null,
    Image: request.image,
    Volumes: null,
    WorkingDir: own.cwd === '/' ? (request.workingDir ?? '') : own.cwd,
    Entrypoint: request.entrypoint ?? null,
    OnBuild: null,
    Labels: own.labels,
    StopSignal: signalName(own.stopSignal),
    ...(request.stopTimeoutSeconds === undefined ? {} : { StopTimeout: request.stopTimeoutSeconds }),
  };
}

function toHostConfigJson(host: BackendHost): Json {
  const { resources } = host;
  const shared = (name: 'pid' | 'ipc' | 'uts' | 'cgroup', own: string) => (host.hostNamespaces.includes(name) ? 'host' : own);
  return {
    Binds:
      host.binds.length === 0
        ? null
        : host.binds.map(({ source, destination, readOnly }) => `${source}:${destination}${readOnly ? ':ro' : ''}`),
    Tmpfs: host.tmpfs,
    NetworkMode: host.network,
    PortBindings: {},
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    LogConfig: { Type: 'json-file', Config: {} },
    AutoRemove: host.autoRemove,
    Privileged: host.privileged,
    ReadonlyRootfs: host.readonlyRootfs,
    CapAdd: host.capAdd.length === 0 ? null : host.capAdd,
    CapDrop: host.capDrop.length === 0 ? null : host.capDrop,
    CgroupnsMode: shared('cgroup', 'private'),
    IpcMode: shared('ipc', 'private'),
    PidMode: shared('pid', ''),
    UTSMode: shared('uts', ''),
    UsernsMode: '',
    Dns: host.dns,
    DnsOptions: host.dnsOptions,
    DnsSearch: host.dnsSearch,
    ExtraHosts: host.extraHosts,
    GroupAdd: host.groupAdd,
    OomScoreAdj: host.oomScoreAdj ?? 0,
    SecurityOpt: [...(host.noNewPrivileges ? ['no-new-privileges'] : []), ...(host.seccomp === 'unconfined' ? ['seccomp=unconfined'] : [])],
    ShmSize: host.shmSizeBytes ?? 67_108_864,
    Sysctls: host.sysctls,
    Runtime: host.runtime ?? 'slipway',
    Ulimits: host.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    Memory: resources.memoryBytes ?? 0,
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? 0,
    NanoCpus: resources.nanoCpus ?? 0,
    CpuShares: resources.cpuShares ?? 0,
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
    CpusetCpus: resources.cpusetCpus ?? '',
    CpusetMems: resources.cpusetMems ?? '',
    PidsLimit: resources.pidsLimit ?? null,
  };
}

function toMountsJson(host: BackendHost): readonly Json[] {
  const binds = host.binds.map(({ source, destination, readOnly, propagation }) => ({
    Type: 'bind',
    Source: source,
    Destination: destination,
    Mode: readOnly ? 'ro' : '',
    RW: !readOnly,
    Propagation: propagation ?? 'rprivate',
  }));
  const tmpfs = Object.keys(host.tmpfs).map((destination) => ({
    Type: 'tmpfs',
    Source: '',
    Destination: destination,
    Mode: '',
    RW: true,
    Propagation: '',
  }));
  return [...binds, ...tmpfs];
}

function toNetworkJson(host: BackendHost): Json {
  const endpoint = { NetworkID: '', EndpointID: '', Gateway: '', IPAddress: '', IPPrefixLen: 0, MacAddress: '' };
  return { Bridge: '', SandboxID: '', SandboxKey: '', Ports: {}, IPAddress: '', Networks: { [host.network]: endpoint } };
}

/** One entry of `GET /containers/json`. */
export function toListJson(container: BackendContainer, nowMs: number): Json {
  const { id, name, request, process } = container;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: request.image,
    ImageID: container.imageId,
    Command: process.args.join(' '),
    Created: Math.floor(Date.parse(container.createdAt) / 1000),
    Ports: [],
    Labels: process.labels,
    State: API_STATUS[container.status],
    Status: describeStatus(container, nowMs),
    HostConfig: { NetworkMode: request.host.network },
    NetworkSettings: { Networks: toNetworkJson(request.host)['Networks'] },
    Mounts: toMountsJson(request.host),
  };
}

export type ContainerSizes = BackendDiskUsage['containers'];

/** What a container wrote, and that with its image; nothing without `sizes`. */
export function toSizesJson({ id }: BackendContainer, sizes: ContainerSizes | undefined): Json {
  if (sizes === undefined) return {};
  const { writtenBytes, rootBytes } = sizes.get(id) ?? { writtenBytes: 0, rootBytes: 0 };
  return { SizeRw: writtenBytes, SizeRootFs: rootBytes };
}

/** The STATUS column of `docker ps`. */
export function describeStatus({ status, startedAt, exit }: BackendContainer, nowMs: number): string {
  const since = (time: string | undefined) => humanDuration(Math.max(0, nowMs - Date.parse(time ?? '')));
  switch (status) {
    case 'running':
      return `Up ${since(startedAt)}`;
    case 'paused':
      return `Up ${since(startedAt)} (Paused)`;
    case 'exited':
      return `Exited (${exit?.code ?? 0}) ${since(exit?.at)} ago`;
    case 'created':
      return 'Created';
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

/** `docker.io/library/busybox:latest` → `busybox:latest`. */
export function familiarName(reference: string): string {
  return familiarReference(parseReference(reference));
}

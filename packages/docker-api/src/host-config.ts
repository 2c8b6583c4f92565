/**
 * Docker's HostConfig → the engine's host request.
 *
 * Everything that could reach a host path, namespace or device is either translated or refused by name: a field that is silently
 * ignored would be a promise nobody keeps.
 *
 * Knows: Docker's field names and spellings.
 * Does not know: what is allowed; the engine decides on the final specification.
 *
 * @spec docker-api/v1.47#operation/ContainerCreate
 */
import type { BackendBind, BackendHost, BackendResources } from './backend.ts';
import { badRequest, notSupported } from './docker-status.ts';
import { Fields } from './fields.ts';

/** Field → why it is refused when set. */
const REFUSED: Readonly<Record<string, string>> = {
  BlkioDeviceReadBps: 'block I/O limits are not available',
  BlkioDeviceReadIOps: 'block I/O limits are not available',
  BlkioDeviceWriteBps: 'block I/O limits are not available',
  BlkioDeviceWriteIOps: 'block I/O limits are not available',
  BlkioWeight: 'block I/O limits are not available',
  BlkioWeightDevice: 'block I/O limits are not available',
  CgroupParent: 'a cgroup parent per container is not available; slipwayd has --cgroup-parent for all of them',
  CpuRealtimePeriod: 'real-time CPU limits are not available',
  CpuRealtimeRuntime: 'real-time CPU limits are not available',
  DeviceCgroupRules: 'device rules are not available',
  DeviceRequests: 'device requests are not available',
  Devices: 'host devices are not available',
  Init: 'an init process is not available',
  KernelMemory: 'kernel memory limits are not available',
  Links: 'links need a network, and there is none yet',
  OomKillDisable: 'the kernel’s OOM killer cannot be switched off here',
  PortBindings: 'publishing ports needs a network, and containers have only a loopback yet',
  PublishAllPorts: 'publishing ports needs a network, and containers have only a loopback yet',
  StorageOpt: 'storage options are not available',
  VolumeDriver: 'volume drivers are not available',
  VolumesFrom: 'volumes are not available yet: bind a host directory instead',
};

/** Field → the values that mean what this engine does anyway. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  Isolation: ['default'],
  UsernsMode: ['host'],
};

export function readHostConfig(fields: Fields): BackendHost {
  requireAvailable(fields, 'HostConfig.');
  for (const [name, allowed] of Object.entries(FIXED)) {
    const value = fields.text(name);
    if (value !== undefined && !allowed.includes(value)) throw notSupported(`HostConfig.${name} "${value}" is not available`);
  }
  for (const name of ['MaskedPaths', 'ReadonlyPaths']) {
    if (fields.raw(name) !== undefined) throw notSupported(`HostConfig.${name} cannot be changed`, 'use --privileged to lift it');
  }
  requireNoRestart(fields);
  requireLogDriver(fields);
  const mounts = fields.list('Mounts');
  const shmSizeBytes = fields.number('ShmSize');
  const oomScoreAdj = fields.number('OomScoreAdj');
  const runtime = fields.text('Runtime');
  return {
    binds: [...(fields.texts('Binds') ?? []).map(parseBind), ...mounts.filter((mount) => mount.text('Type') !== 'tmpfs').map(readMount)],
    tmpfs: { ...fields.textMap('Tmpfs'), ...readTmpfsMounts(mounts) },
    network: readNetworkMode(fields.text('NetworkMode')),
    hostNamespaces: readNamespaces(fields),
    autoRemove: fields.flag('AutoRemove'),
    privileged: fields.flag('Privileged'),
    readonlyRootfs: fields.flag('ReadonlyRootfs'),
    capAdd: fields.texts('CapAdd') ?? [],
    capDrop: fields.texts('CapDrop') ?? [],
    ...readSecurity(fields.texts('SecurityOpt') ?? []),
    resources: readResources(fields),
    ulimits: fields.list('Ulimits').map(readUlimit),
    ...(runtime === undefined ? {} : { runtime }),
    ...(shmSizeBytes === undefined ? {} : { shmSizeBytes }),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    sysctls: fields.textMap('Sysctls'),
    extraHosts: fields.texts('ExtraHosts') ?? [],
    dns: fields.texts('Dns') ?? [],
    dnsSearch: fields.texts('DnsSearch') ?? [],
    dnsOptions: fields.texts('DnsOptions') ?? [],
    groupAdd: fields.texts('GroupAdd') ?? [],
  };
}

/** @throws unsupported / E_API_UNSUPPORTED naming the first field that asks for what there is not */
function requireAvailable(fields: Fields, path: string): void {
  for (const [name, why] of Object.entries(REFUSED)) {
    if (fields.isSet(name)) throw notSupported(`${path}${name}: ${why}`);
  }
  const swappiness = fields.number('MemorySwappiness');
  if (swappiness !== undefined && swappiness !== -1) throw notSupported(`${path}MemorySwappiness is not available`);
}

/**
 * The body of POST /containers/{id}/update: absent fields are left as they are.
 *
 * @spec docker-api/v1.47#operation/ContainerUpdate
 */
export function readUpdateRequest(body: unknown): BackendResources {
  const fields = new Fields(body);
  requireAvailable(fields, '');
  requireNoRestart(fields);
  // Only here a 0 is told from nothing: it lifts the limit.
  return { ...readResources(fields), ...(fields.raw('PidsLimit') === 0 ? { pidsLimit: -1 } : {}) };
}

/** `default` is the engine's default network, which is a loopback of the container's own until there are others. */
export function readNetworkMode(mode: string | undefined): 'none' | 'host' {
  if (mode === undefined || mode === 'default' || mode === 'none') return 'none';
  if (mode === 'host') return 'host';
  throw notSupported(`network "${mode}" is not available: only "none" and "host" are`, 'leave --network out for a loopback only');
}

function readNamespaces(fields: Fields): BackendHost['hostNamespaces'] {
  const wanted = [
    ['pid', 'PidMode', []],
    ['ipc', 'IpcMode', ['private', 'shareable']],
    ['uts', 'UTSMode', []],
    ['cgroup', 'CgroupnsMode', ['private']],
  ] as const;
  return wanted.flatMap(([name, field, own]) => {
    const mode = fields.text(field);
    if (mode === undefined || own.some((value) => value === mode)) return [];
    if (mode === 'host') return [name];
    throw notSupported(`HostConfig.${field} "${mode}" is not available`, 'use "host", or leave it out');
  });
}

export function readUlimit(limit: Fields): BackendHost['ulimits'][number] {
  return { name: limit.text('Name') ?? '', soft: limit.number('Soft') ?? 0, hard: limit.number('Hard') ?? 0 };
}

/** Of a HostConfig; absent fields and zeros are left out. */
export function readResources(fields: Fields): BackendResources {
  const numbers = {
    memoryBytes: fields.number('Memory'),
    memorySwapBytes: fields.number('MemorySwap'),
    memoryReservationBytes: fields.number('MemoryReservation'),
    nanoCpus: fields.number('NanoCpus'),
    cpuQuotaUs: fields.number('CpuQuota'),
    cpuPeriodUs: fields.number('CpuPeriod'),
    cpuShares: fields.number('CpuShares'),
    pidsLimit: fields.number('PidsLimit'),
    cpusetCpus: fields.text('CpusetCpus'),
    cpusetMems: fields.text('CpusetMems'),
  };
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
}

function readSecurity(options: readonly string[]): { noNewPrivileges: boolean; seccomp: 'default' | 'unconfined' } {
  let noNewPrivileges = false;
  let seccomp: 'default' | 'unconfined' = 'default';
  for (const option of options) {
    const [name = '', value = ''] = option.split(/[=:](.*)/s);
    if (name === 'no-new-privileges' && ['', 'true', 'false'].includes(value)) noNewPrivileges = value !== 'false';
    else if (name === 'seccomp' && value === 'unconfined') seccomp = 'unconfined';
    else if (name === 'seccomp' && value === 'builtin') seccomp = 'default';
    else if ((name === 'label' && value === 'disable') || (name === 'apparmor' && value === 'unconfined')) continue;
    else throw notSupported(`security option "${option.slice(0, 80)}" is not available`);
  }
  return { noNewPrivileges, seccomp };
}

/** `source:destination[:options]`. */
function parseBind(text: string): BackendBind {
  const [source = '', destination = '', options = '', ...rest] = text.split(':');
  if (destination === '' || rest.length > 0)
    throw badRequest(`invalid volume specification: '${text}'`, 'write it as source:destination:ro');
  if (!source.startsWith('/')) throw notSupported(`named volume "${source}" is not available yet`, 'bind an absolute host path instead');
  const words = options.split(',').filter(Boolean);
  const propagation = words.find((word) => /^r?(private|slave|shared)$/.test(word));
  const unknown = words.find(
    (word) => word !== propagation && !['ro', 'rw', 'z', 'Z', 'nocopy', 'consistent', 'cached', 'delegated'].includes(word),
  );
  if (unknown !== undefined) throw badRequest(`invalid mode: ${unknown}`);
  return { source, destination, readOnly: words.includes('ro'), createSource: true, ...(propagation === undefined ? {} : { propagation }) };
}

function readMount(mount: Fields): BackendBind {
  const type = mount.text('Type');
  if (type !== 'bind') throw notSupported(`mounts of type "${type ?? ''}" are not available yet`, 'use type=bind or type=tmpfs');
  const options = mount.object('BindOptions');
  const propagation = options.text('Propagation');
  return {
    source: mount.text('Source') ?? '',
    destination: mount.text('Target') ?? '',
    readOnly: mount.flag('ReadOnly'),
    createSource: options.flag('CreateMountpoint'),
    ...(propagation === undefined ? {} : { propagation }),
  };
}

function readTmpfsMounts(mounts: readonly Fields[]): Readonly<Record<string, string>> {
  const entries = mounts
    .filter((mount) => mount.text('Type') === 'tmpfs')
    .map((mount): [string, string] => {
      const size = mount.object('TmpfsOptions').number('SizeBytes');
      const mode = mount.object('TmpfsOptions').number('Mode');
      const words = [
        ...(size === undefined ? [] : [`size=${size}`]),
        ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
        ...(mount.flag('ReadOnly') ? ['ro'] : []),
      ];
      return [mount.text('Target') ?? '', words.join(',')];
    });
  return Object.fromEntries(entries);
}

function requireNoRestart(fields: Fields): void {
  const policy = fields.object('RestartPolicy').text('Name');
  if (policy !== undefined && policy !== 'no') throw notSupported(`restart policy "${policy}" is not available yet`, 'leave --restart out');
}

function requireLogDriver(fields: Fields): void {
  const driver = fields.object('LogConfig').text('Type');
  if (driver === undefined || driver === 'json-file') return;
  throw notSupported(`log driver "${driver}" is not available`, 'leave --log-driver out');
}

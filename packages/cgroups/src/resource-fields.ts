/**
 * The resources document as the tables read it: with the fields that runtime-spec.ts leaves open.
 *
 * Knows: their shapes (validateSpec has checked them) and what "unset" looks like: absent, and mostly 0 too.
 * Does not know: control files.
 */
import { EngineError } from '@slipway/errors';
import type { SpecResources } from '@slipway/oci';

export interface MemoryFields {
  readonly limit?: number;
  readonly reservation?: number;
  readonly swap?: number;
  readonly kernel?: number;
  readonly kernelTCP?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

export interface CpuFields {
  readonly shares?: number;
  readonly quota?: number;
  readonly period?: number;
  readonly burst?: number;
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  readonly idle?: number;
  readonly cpus?: string;
  readonly mems?: string;
}

interface DeviceNumbers {
  readonly major: number;
  readonly minor: number;
}

export interface ThrottleRule extends DeviceNumbers {
  /** 0 lifts it. */
  readonly rate: number | bigint;
}

export interface WeightRule extends DeviceNumbers {
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface BlockIoFields {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly WeightRule[];
  readonly throttleReadBpsDevice?: readonly ThrottleRule[];
  readonly throttleWriteBpsDevice?: readonly ThrottleRule[];
  readonly throttleReadIOPSDevice?: readonly ThrottleRule[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleRule[];
}

export interface NetworkFields {
  readonly classID?: number;
  readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
}

export interface RdmaFields {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}

export interface ResourceFields {
  readonly memory: MemoryFields;
  readonly cpu: CpuFields;
  readonly blockIo: BlockIoFields;
  readonly hugepages: readonly { readonly pageSize: string; readonly limit: number | bigint }[];
  readonly network: NetworkFields;
  /** By device. */
  readonly rdma: Readonly<Record<string, RdmaFields>>;
  /** Undefined when not asked for; below 0: unlimited. */
  readonly pidsLimit: number | undefined;
}

export function resourceFields(resources: SpecResources): ResourceFields {
  return {
    memory: (resources.memory ?? {}) as MemoryFields,
    cpu: (resources.cpu ?? {}) as CpuFields,
    blockIo: (resources['blockIO'] ?? {}) as BlockIoFields,
    hugepages: (resources['hugepageLimits'] ?? []) as ResourceFields['hugepages'],
    network: (resources['network'] ?? {}) as NetworkFields,
    rdma: (resources['rdma'] ?? {}) as ResourceFields['rdma'],
    pidsLimit: resources.pids?.limit,
  };
}

/** Absent and 0 leave the kernel's default. */
export function isGiven(value: number | undefined | null): value is number {
  return isPresent(value) && value !== 0;
}

/** Null counts as absent: Go writers leave it for empty pointers. */
export function isPresent<T>(value: T | undefined | null): value is T {
  return value !== undefined && value !== null;
}

/** The four throttles in their fixed order: field, v1 file, v2 key. */
export const THROTTLES = [
  ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device', 'rbps'],
  ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device', 'wbps'],
  ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device', 'riops'],
  ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device', 'wiops'],
] as const;

/** `2MB` in bytes: the unit in which the kernel counts such pages. */
export function pageBytes(pageSize: string): bigint {
  const [, count = '1', unit = ''] = /^([0-9]+)([KMG])B$/.exec(pageSize) ?? [];
  return BigInt(count) << BigInt({ K: 10, M: 20, G: 30 }[unit] ?? 0);
}

/** The limits of one RDMA device, as both versions spell them; a field that is absent stays as it is. */
export function rdmaLine(device: string, { hcaHandles, hcaObjects }: RdmaFields): string {
  const handles = isPresent(hcaHandles) ? [`hca_handle=${hcaHandles}`] : [];
  const objects = isPresent(hcaObjects) ? [`hca_object=${hcaObjects}`] : [];
  return [device, ...handles, ...objects].join(' ');
}

/** The document asks for what this version of cgroups has no file for. */
export function noEquivalent(field: string, version: 'v1' | 'v2'): EngineError {
  return new EngineError('unsupported', `/linux/resources/${field} has no equivalent in cgroup ${version}`, {
    code: 'E_CGROUP_RESOURCE',
    op: 'cgroup.plan',
    subject: `/linux/resources/${field}`,
    hint: 'leave the field out',
  });
}

/**
 * The resources document as the tables read it: with the fields that runtime-spec.ts leaves open.
 *
 * Knows: their shapes (validateSpec has checked them) and what "unset" looks like: absent, and mostly 0 too.
 * Does not know: control files.
 */
import type { SpecResources } from '@slipway/oci';

export interface MemoryFields {
  readonly limit?: number;
  readonly reservation?: number;
  readonly swap?: number;
  readonly kernel?: number;
  readonly kernelTCP?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
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

export interface ThrottleRule {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface BlockIoFields {
  readonly weight?: number;
  readonly throttleReadBpsDevice?: readonly ThrottleRule[];
  readonly throttleWriteBpsDevice?: readonly ThrottleRule[];
  readonly throttleReadIOPSDevice?: readonly ThrottleRule[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleRule[];
}

export interface ResourceFields {
  readonly memory: MemoryFields;
  readonly cpu: CpuFields;
  readonly blockIo: BlockIoFields;
  readonly hugepages: readonly { readonly pageSize: string; readonly limit: number }[];
  /** Undefined when not asked for; 0 and below mean unlimited. */
  readonly pidsLimit: number | undefined;
}

export function resourceFields(resources: SpecResources): ResourceFields {
  return {
    memory: (resources.memory ?? {}) as MemoryFields,
    cpu: (resources.cpu ?? {}) as CpuFields,
    blockIo: (resources['blockIO'] ?? {}) as BlockIoFields,
    hugepages: (resources['hugepageLimits'] ?? []) as ResourceFields['hugepages'],
    pidsLimit: resources.pids?.limit,
  };
}

/** Absent and 0 leave the kernel's default. */
export function isGiven(value: number | undefined | null): value is number {
  return value !== undefined && value !== null && value !== 0;
}

/** The four throttles in their fixed order: field, v1 file, v2 key. */
export const THROTTLES = [
  ['throttleReadBpsDevice', 'blkio.throttle.read_bps_device', 'rbps'],
  ['throttleWriteBpsDevice', 'blkio.throttle.write_bps_device', 'wbps'],
  ['throttleReadIOPSDevice', 'blkio.throttle.read_iops_device', 'riops'],
  ['throttleWriteIOPSDevice', 'blkio.throttle.write_iops_device', 'wiops'],
] as const;

/**
 * What this host offers of what the engine builds on, with a sentence for people about each thing that is missing.
 *
 * Knows: where the kernel tells about itself, and what each feature is needed for.
 * Does not know: whether a missing one matters to this caller; `needed` tells what stops working without it.
 */
import { CAPABILITY_NAMES, type CapabilityName, capabilitiesOfMask } from '@slipway/oci';
import { isErrno } from './confined.ts';
import { type ControlFiles, hostControlFiles } from './control-files.ts';
import { readMounts } from './mountinfo.ts';
import { findProcStatus } from './proc.ts';

export type HostFeatureName =
  | 'kernel-version'
  | 'root'
  | 'capabilities'
  | 'overlay'
  | 'user-namespaces'
  | 'cgroups'
  | 'tracefs'
  | 'seccomp';

/** One feature, fit to be shown as a line: what, why, what to do. */
export interface HostFeature {
  readonly name: HostFeatureName;
  readonly available: boolean;
  /** `containers`: nothing runs without it. Else the part that does not work without it. */
  readonly needed: 'containers' | 'layers without copying' | 'lab machines' | 'limits' | 'kernel events' | 'full rights for containers';
  /** What was found, or what is missing. */
  readonly found: string;
  readonly why: string;
  /** Absent where it is available. */
  readonly remedy?: string;
}

export interface HostFeatures {
  /** As `uname -r`. */
  readonly kernelRelease: string;
  readonly features: readonly HostFeature[];
  /** Capabilities this process does not have in its bounding set. */
  readonly missingCapabilities: readonly CapabilityName[];
}

/** Oldest kernel with everything the launcher calls (mount_setattr is 5.12). */
const KERNEL_MIN = [5, 12] as const;

interface Sight {
  readonly files: ControlFiles;
  readonly mounts: ReturnType<typeof readMounts>;
  readonly status: NonNullable<ReturnType<typeof findProcStatus>>;
}

/** Reads /proc; changes nothing. */
export function detectHostFeatures(files: ControlFiles = hostControlFiles): HostFeatures {
  const kernelRelease = files.read('/proc/sys/kernel/osrelease').trim();
  const status = findProcStatus('self', files);
  if (status === undefined) throw new Error('/proc/self/status is missing: /proc is not mounted');
  const sight = { files, mounts: readMounts('self', files), status };
  const missingCapabilities = findMissingCapabilities(sight);
  return {
    kernelRelease,
    missingCapabilities,
    features: [
      kernelFeature(kernelRelease),
      rootFeature(sight),
      capabilityFeature(missingCapabilities),
      cgroupFeature(sight),
      overlayFeature(sight),
      userNamespaceFeature(sight),
      tracefsFeature(sight),
      seccompFeature(sight),
    ],
  };
}

/** One line per missing feature: what, why, what to do. */
export function describeMissing({ features }: HostFeatures): string[] {
  return features.filter((feature) => !feature.available).map(({ name, found, why, remedy }) => `${name}: ${found}; ${why}; ${remedy}`);
}

function feature(
  base: Omit<HostFeature, 'found' | 'remedy'>,
  texts: { readonly found: string; readonly missing: string; readonly remedy: string },
): HostFeature {
  return base.available ? { ...base, found: texts.found } : { ...base, found: texts.missing, remedy: texts.remedy };
}

function kernelFeature(release: string): HostFeature {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const available = major > KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor >= KERNEL_MIN[1]);
  const why = 'containers are put together with its newer mount calls';
  const texts = {
    found: `Linux ${release}`,
    missing: `Linux ${release} is too old`,
    remedy: `boot a kernel of ${KERNEL_MIN.join('.')} or later`,
  };
  return feature({ name: 'kernel-version', available, needed: 'containers', why }, texts);
}

function rootFeature({ status }: Sight): HostFeature {
  const available = status.uid[1] === 0;
  const why = 'namespaces, mounts and cgroups are root’s to make';
  const texts = { found: 'running as root', missing: `running as user ${status.uid[1]}`, remedy: 'start it with sudo' };
  return feature({ name: 'root', available, needed: 'containers', why }, texts);
}

function findMissingCapabilities({ files, status }: Sight): CapabilityName[] {
  const last = Number(files.read('/proc/sys/kernel/cap_last_cap'));
  const have = new Set(capabilitiesOfMask(status.capabilities.bounding));
  return CAPABILITY_NAMES.slice(0, last + 1).filter((name) => !have.has(name));
}

function capabilityFeature(missing: readonly CapabilityName[]): HostFeature {
  const why = 'a container can get no right that its engine lacks, such as raising limits';
  const texts = {
    found: 'all capabilities',
    missing: `this process lacks ${missing.join(', ')}`,
    remedy: 'start it from a shell that has them, or do without: what we chose ourselves is clamped, what you ask for fails by name',
  };
  return feature({ name: 'capabilities', available: missing.length === 0, needed: 'full rights for containers', why }, texts);
}

function cgroupFeature({ mounts }: Sight): HostFeature {
  const v1 = mounts.filter(({ fsType }) => fsType === 'cgroup').length;
  const v2 = mounts.some(({ fsType }) => fsType === 'cgroup2');
  const why = 'memory, CPU and process limits are cgroup settings';
  const found = v1 === 0 ? 'cgroup v2' : v2 ? `cgroup v1 (${v1} hierarchies) beside v2` : `cgroup v1 (${v1} hierarchies)`;
  const texts = { found, missing: 'no cgroup file system is mounted', remedy: 'mount -t cgroup2 none /sys/fs/cgroup' };
  return feature({ name: 'cgroups', available: v1 > 0 || v2, needed: 'limits', why }, texts);
}

function overlayFeature({ files }: Sight): HostFeature {
  const available = /^nodev\toverlay$/m.test(files.read('/proc/filesystems'));
  const why = 'with it a container shares its image’s layers instead of copying them';
  const texts = {
    found: 'overlay',
    missing: 'the overlay file system is not there',
    remedy: 'modprobe overlay; until then the native snapshotter copies',
  };
  return feature({ name: 'overlay', available, needed: 'layers without copying', why }, texts);
}

function userNamespaceFeature({ files }: Sight): HostFeature {
  const max = Number(readOr(files, '/proc/sys/user/max_user_namespaces', '0'));
  const why = 'root of a lab machine is nobody outside only through one';
  const texts = {
    found: `up to ${max} user namespaces`,
    missing: 'user namespaces are switched off',
    remedy: 'sysctl -w user.max_user_namespaces=15000',
  };
  return feature({ name: 'user-namespaces', available: max > 0, needed: 'lab machines', why }, texts);
}

function tracefsFeature({ files }: Sight): HostFeature {
  const available = /^nodev\ttracefs$/m.test(files.read('/proc/filesystems'));
  const why = 'processes of every runtime are followed through its tracepoints';
  const texts = {
    found: 'tracefs',
    missing: 'this kernel has no tracefs',
    remedy: 'use a kernel built with CONFIG_TRACING; the pictures then show the engine’s own events only',
  };
  return feature({ name: 'tracefs', available, needed: 'kernel events', why }, texts);
}

function seccompFeature({ files }: Sight): HostFeature {
  const actions = readOr(files, '/proc/sys/kernel/seccomp/actions_avail', '');
  const why = 'containers’ system calls are filtered by default';
  const texts = {
    found: `seccomp filters (${actions.trim()})`,
    missing: 'this kernel has no seccomp filters',
    remedy: 'use a kernel built with CONFIG_SECCOMP_FILTER',
  };
  return feature({ name: 'seccomp', available: actions.includes('errno'), needed: 'containers', why }, texts);
}

function readOr(files: ControlFiles, path: string, otherwise: string): string {
  try {
    return files.read(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return otherwise;
    throw error;
  }
}

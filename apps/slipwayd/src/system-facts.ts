/**
 * What the daemon says about its machine.
 *
 * Knows: where to read it.
 * Does not know: who asks.
 */
import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import { detectCgroups } from '@slipway/cgroups';
import type { SystemFacts } from '@slipway/docker-api';
import { inUserNamespace } from '@slipway/kernel';
import type { DaemonConfig } from './config.ts';

const DOCKER_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export function readSystemFacts(config: DaemonConfig, version: string, id: string): SystemFacts {
  const { mode } = detectCgroups();
  return {
    version,
    gitCommit: '',
    kernelVersion: release(),
    operatingSystem: readOsName(),
    architecture: DOCKER_ARCHITECTURES[arch()] ?? arch(),
    hostName: hostname(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    rootDirectory: config.root,
    storageDriver: config.snapshotter,
    cgroupDriver: 'cgroupfs',
    cgroupVersion: mode === 'v2' ? 2 : 1,
    securityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns', ...(inUserNamespace() ? ['name=rootless'] : [])],
    runtimes: { slipway: 'slipway', ...config.runtimes },
    defaultRuntime: config.defaultRuntime ?? 'slipway',
    id,
  };
}

export function cgroupModeForJournal(): 'v1' | 'v2' | 'hybrid' {
  const { mode } = detectCgroups();
  return mode === 'none' ? 'v1' : mode;
}

function readOsName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

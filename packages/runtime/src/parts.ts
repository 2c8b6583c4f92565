/**
 * What a runtime is made of.
 *
 * Knows: the parts. Does not know: who makes them (create-runtime.ts), or what the verbs do with them.
 */
import type { CgroupHost } from '@slipway/cgroups';
import type { Launcher } from '@slipway/launcher';
import type { ContainerStore } from './container-store.ts';
import type { Nursery } from './nursery.ts';
import type { HostFacts } from './plan/host.ts';

/** Who makes containers' groups: we ourselves, or systemd on our behalf. */
export type CgroupDriver = 'cgroupfs' | 'systemd';

/** The runtime's parts, as its verbs use them. Facts of the machine are found out when first asked for. */
export interface Parts {
  readonly store: ContainerStore;
  readonly launcher: Launcher;
  readonly cgroups: () => CgroupHost;
  /** Where containers without a `cgroupsPath` go, relative to our own cgroup. */
  readonly cgroupParent: string | undefined;
  readonly cgroupDriver: CgroupDriver;
  /** Present in a daemon's runtime. */
  readonly nursery: Nursery | undefined;
  readonly host: () => HostFacts;
  /** Begins the kernel's wait before a process can change groups; see @slipway/cgroups. */
  readonly readyMoves: () => void;
  readonly warn: (message: string) => void;
}

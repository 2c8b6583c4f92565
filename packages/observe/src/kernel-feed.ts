/**
 * One recorder for all machines of a host: each machine gets the kernel events that are its own.
 *
 * Knows: which machines there are, and how to ask /proc about a process that nobody announced.
 * Does not know: journals. What it hands out is found by the host and cannot be forged from inside.
 */
import type { JournalBody } from '@slipway/journal';
import {
  type ControlFiles,
  findCgroupMemberships,
  findProcStat,
  findProcStatus,
  hostControlFiles,
  monotonicMs,
  readMounts,
} from '@slipway/kernel';
import { type AttributedEvent, createAttribution, type LearnedProcess, type ProcPort } from './attribution.ts';
import { containerOfCgroup } from './container-id.ts';
import { cgroupLocator, type MachineTarget } from './machine-target.ts';
import type { KernelRecorder, TraceBatch } from './recorder.ts';

/** What one machine hears. `events` is empty when only a loss is told. */
export type FeedListener = (events: readonly AttributedEvent[], gap: JournalBody | undefined) => void;

export interface FeedMember {
  /** Processes that entered the machine from outside, or were there before: recorded from here on, with their children. */
  follow(hostPids: readonly number[]): void;
  learn(hostPid: number, found: LearnedProcess): void;
  isKnown(hostPid: number): boolean;
  leave(): void;
}

export interface KernelFeed {
  /**
   * Names a process whose children enter machines from outside (a pty host, say), so that they are recorded from their first step.
   * This process is one already.
   */
  addEntrance(hostPid: number): void;
  /** Starts with the machine's pid 1; a machine joins once. */
  join(target: MachineTarget, listener: FeedListener): FeedMember;
  /** Reads what the kernel has, now, and hands out what has waited long enough. */
  poll(): void;
  /** Stops listening; the recorder stays its opener's to close. */
  close(): void;
}

interface Member {
  readonly locate: ReturnType<typeof cgroupLocator>;
  readonly listener: FeedListener;
}

export function createKernelFeed(recorder: KernelRecorder, files: ControlFiles = hostControlFiles): KernelFeed {
  const members = new Map<string, Member>();
  const attribution = createAttribution(procPort(members, files), monotonicMs);

  const onBatch = ({ records, lost }: TraceBatch): void => {
    const events = Map.groupBy(attribution.attribute(records), (event) => event.machine);
    const gap: JournalBody | undefined =
      lost === 0 ? undefined : { type: 'gap', reason: 'the kernel’s trace buffer ran over', ...(lost > 0 && { count: lost }) };
    for (const [machine, { listener }] of members) {
      const own = events.get(machine) ?? [];
      if (own.length > 0 || gap) listener(own, gap);
    }
  };
  const unsubscribe = recorder.subscribe(onBatch);

  recorder.follow([process.pid]);

  return {
    addEntrance: (hostPid) => recorder.follow([hostPid]),
    poll: () => {
      recorder.poll();
      onBatch({ records: [], lost: 0 });
    },
    close: unsubscribe,
    join: (target, listener) => {
      members.set(target.id, { locate: cgroupLocator(target, readMounts('self', files)), listener });
      const levels = findProcStatus(target.initHostPid, files)?.nsPid.length ?? 2;
      attribution.addMachine(target.id, levels - 1);
      const follow = (hostPids: readonly number[]): void => {
        recorder.follow(hostPids);
        attribution.adopt(target.id, hostPids);
      };
      follow([target.initHostPid]);
      return {
        follow,
        learn: (hostPid, found) => attribution.learn(hostPid, found),
        isKnown: (hostPid) => attribution.isKnown(hostPid),
        leave: () => {
          members.delete(target.id);
          attribution.removeMachine(target.id);
        },
      };
    },
  };
}

function procPort(members: ReadonlyMap<string, Member>, files: ControlFiles): ProcPort {
  return {
    nsPids: (hostPid) => findProcStatus(hostPid, files)?.nsPid,
    comm: (hostPid) => findProcStat(hostPid, files)?.comm,
    containerOf: (_hostPid, cgroup) => containerOfCgroup(cgroup, false),
    locate: (hostPid) => {
      const memberships = findCgroupMemberships(hostPid, files);
      if (!memberships) return undefined;
      for (const [machine, { locate }] of members) {
        const cgroup = locate(memberships);
        if (cgroup !== undefined) return { machine, cgroup };
      }
      return undefined;
    },
  };
}

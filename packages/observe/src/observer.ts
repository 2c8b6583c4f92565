/**
 * Watches one machine from the host and writes what it finds as journal bodies: kernel events, processes, cgroups, overlays.
 *
 * Knows: when to look: soon after the kernel says something changed, and every second; never more often than looking may cost.
 * Does not know: how to look (process-sampler.ts, cgroup-sampler.ts, kernel-feed.ts), nor journals.
 */
import type { CgroupSample, JournalBody, ProcessFact } from '@slipway/journal';
import { findProcStat, isSameProcess, monotonicMs } from '@slipway/kernel';
import { type CgroupSampler, createCgroupSampler } from './cgroup-sampler.ts';
import type { FeedListener, FeedMember, KernelFeed } from './kernel-feed.ts';
import type { MachineTarget } from './machine-target.ts';
import { sampleOverlays } from './overlay-sampler.ts';
import { createProcessSampler, type ProcessSampler } from './process-sampler.ts';

export interface MachineObserverOptions {
  readonly machine: MachineTarget;
  /** Takes bodies found by the host, with CLOCK_MONOTONIC milliseconds. Must not throw. */
  readonly emit: (body: JournalBody, atMs: number) => void;
  /** The machine's pid 1 has ended, and with it everything inside; called once, soon after it happened. Must not throw. */
  readonly onEnd?: (() => void) | undefined;
  /** Absent where kernel events cannot be recorded: then pictures come every second only. */
  readonly feed?: KernelFeed | undefined;
  /** Milliseconds from a kernel event to the next picture; default 30. */
  readonly settleMs?: number | undefined;
  /** Milliseconds between pictures without any event; default 1000. */
  readonly intervalMs?: number | undefined;
}

export interface MachineObserver {
  /** Also records a process that enters the machine from outside, best before it executes anything there. */
  follow(hostPid: number): void;
  /** Looks at everything now, and writes what changed. */
  sampleNow(): void;
  /** Nothing is written afterwards. Idempotent. */
  stop(): void;
}

/** A picture may take this share of the time until the next one. */
const BUSY_SHARE = 0.1;
/** cgroup figures change all the time; pictures of them are at least this far apart. */
const CGROUP_MS = 250;

/** Starts watching at once. */
export function createMachineObserver(options: MachineObserverOptions): MachineObserver {
  const observer = new Observer(options);
  observer.start();
  return observer;
}

class Observer implements MachineObserver {
  readonly #emit: MachineObserverOptions['emit'];
  readonly #options: MachineObserverOptions;
  readonly #processes: ProcessSampler;
  readonly #cgroups: CgroupSampler;
  #member: FeedMember | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Of the machine's pid 1: its pid may be another process's one day. */
  readonly #initStartTime: string | undefined;
  #ended = false;
  /** No picture before this time, so that a busy machine does not keep us busy. */
  #notBeforeMs = 0;
  #cgroupsAtMs = Number.NEGATIVE_INFINITY;
  #lastProcesses = '';
  #lastCgroups = '';
  #lastOverlays = JSON.stringify({ mounts: [], truncated: false });
  #groups = '';
  readonly #containers = new Set<string>();
  readonly #told = new Set<string>();

  constructor(options: MachineObserverOptions) {
    this.#options = options;
    this.#emit = options.emit;
    this.#initStartTime = findProcStat(options.machine.initHostPid)?.startTime;
    this.#processes = createProcessSampler(options.machine);
    this.#cgroups = createCgroupSampler(options.machine);
  }

  start(): void {
    this.#member = this.#options.feed?.join(this.#options.machine, this.#onKernel);
    this.sampleNow();
    this.#ticker = setInterval(() => {
      this.#options.feed?.poll();
      if (monotonicMs() >= this.#notBeforeMs) this.sampleNow();
    }, this.#options.intervalMs ?? 1000);
    this.#ticker.unref();
  }

  follow(hostPid: number): void {
    if (!this.#stopped) this.#member?.follow([hostPid]);
  }

  sampleNow(): void {
    if (this.#stopped) return;
    const began = monotonicMs();
    this.#guarded(() => this.#sampleProcesses());
    this.#guarded(() => this.#sampleCgroups());
    this.#guarded(() => this.#sampleOverlays());
    const now = monotonicMs();
    this.#notBeforeMs = now + (now - began) / BUSY_SHARE;
    this.#noticeEnd();
  }

  /** After the last picture, which shows that nothing is left. */
  #noticeEnd(): void {
    const { machine, onEnd } = this.#options;
    if (this.#ended || (this.#initStartTime !== undefined && isSameProcess(machine.initHostPid, this.#initStartTime))) return;
    this.#ended = true;
    onEnd?.();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#soon);
    this.#member?.leave();
  }

  readonly #onKernel: FeedListener = (events, gap) => {
    if (this.#stopped) return;
    if (gap) this.#emit(gap, monotonicMs());
    for (const { body, atMs } of events) this.#emit(body, atMs);
    this.#processes.forget(events.map((event) => event.hostPid));
    if (events.length > 0) this.#lookSoon();
  };

  #lookSoon(): void {
    if (this.#soon) return;
    const wait = Math.max(this.#options.settleMs ?? 30, this.#notBeforeMs - monotonicMs());
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.sampleNow();
    }, wait);
    this.#soon.unref();
  }

  #sampleProcesses(): void {
    const atMs = monotonicMs();
    const { processes, truncated, hostPids } = this.#processes.sample();
    this.#teach(processes, hostPids);
    const picture = JSON.stringify(processes.map(withoutState));
    if (picture === this.#lastProcesses) return;
    this.#lastProcesses = picture;
    this.#emit({ type: 'processes', processes, ...(truncated && { truncated }) }, atMs);
  }

  /** What the picture shows and the kernel events do not tell: who came in from outside, and in which container each process is. */
  #teach(processes: readonly ProcessFact[], hostPids: ReadonlyMap<number, number>): void {
    this.#containers.clear();
    const strangers: number[] = [];
    for (const { pid, innerPid, container } of processes) {
      if (container !== undefined) this.#containers.add(container);
      const hostPid = hostPids.get(pid);
      if (hostPid === undefined || !this.#member) continue;
      if (!this.#member.isKnown(hostPid)) strangers.push(hostPid);
      this.#member.learn(hostPid, { pid, isNested: innerPid !== undefined, container });
    }
    if (strangers.length > 0) this.#member?.follow(strangers);
  }

  /** When due, or at once when groups came or went with their processes. */
  #sampleCgroups(): void {
    const atMs = monotonicMs();
    const groups = [...this.#containers].join(' ');
    if (atMs - this.#cgroupsAtMs < CGROUP_MS && groups === this.#groups) return;
    this.#cgroupsAtMs = atMs;
    this.#groups = groups;
    const { samples, truncated } = this.#cgroups.sample(this.#containers);
    const picture = JSON.stringify(samples.map(withoutFraction));
    if (picture === this.#lastCgroups) return;
    this.#lastCgroups = picture;
    this.#emit({ type: 'cgroups', samples, ...(truncated && { truncated }) }, atMs);
  }

  #sampleOverlays(): void {
    const atMs = monotonicMs();
    const found = sampleOverlays(this.#options.machine);
    const picture = JSON.stringify(found);
    if (picture === this.#lastOverlays) return;
    this.#lastOverlays = picture;
    this.#emit({ type: 'overlays', mounts: found.mounts, ...(found.truncated && { truncated: true }) }, atMs);
  }

  /** A file that cannot be read must not end labd; it is said once. */
  #guarded(look: () => void): void {
    try {
      look();
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 300) : String(error);
      if (this.#told.has(reason) || this.#told.size > 20) return;
      this.#told.add(reason);
      this.#emit({ type: 'notice', level: 'warning', text: `the machine could not be looked at: ${reason}` }, monotonicMs());
    }
  }
}

/** Running or sleeping changes at every look and says nothing; stopped and ended do. */
function withoutState({ state, ...fact }: ProcessFact): ProcessFact {
  return state !== undefined && /[RSDI]/.test(state) ? fact : { ...fact, ...(state !== undefined && { state }) };
}

function withoutFraction({ cpuFraction, ...sample }: CgroupSample): CgroupSample {
  return cpuFraction !== undefined && cpuFraction > 0.001 ? { ...sample, cpuFraction } : sample;
}

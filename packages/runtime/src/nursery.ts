/**
 * What a daemon keeps ready for its next container: a launcher process, and v1 cgroups in which it stands with one foot.
 *
 * Forking a process of our size, making a directory in every hierarchy and waiting until the kernel moves somebody there are by
 * far the longest steps of a birth, and none of them needs to know which container it is for: v1 lets the directories be renamed. On v2
 * clone3 makes the child in its cgroup, and only the process is kept. Namespaces and file systems like the last container's can be made
 * meanwhile, too: see ../../launcher/native/rehearsal.c.
 *
 * Knows: when what is kept fits, and how it goes when it is not needed.
 * Does not know: the container.
 *
 * @see ../../launcher/native/cradle.c
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { type Cgroup, type CgroupHost, type CgroupPlan, type CgroupWrite, openCgroup, planCgroup } from '@slipway/cgroups';
import { delay } from '@slipway/kernel';
import { type Launcher, type Plan, type PreparedLauncher, rehearsalOf } from '@slipway/launcher';
import { DOCKER_DEFAULTS } from '@slipway/oci';

export interface NurseryOptions {
  readonly launcher: Launcher;
  readonly cgroups: () => CgroupHost;
  /** As in CreateRuntimeOptions. */
  readonly cgroupParent: string | undefined;
  /** The runtime's state directory: two daemons must not keep the same groups ready. */
  readonly root: string;
  /** Whether the next container's namespaces and file systems are made, too. */
  readonly rehearses: () => boolean;
}

/** A process for the next launch and the groups that its child is born in; without groups it joins them as ever. */
export interface Prepared {
  readonly process: PreparedLauncher;
  readonly group: Cgroup | undefined;
  /** What stands in the group already: the customary device rules, a dozen writes that most containers have in common. */
  readonly written: readonly CgroupWrite[];
}

/**
 * Begins once the launch before has had its time, and whoever looks at it: starting a process holds up this one for some milliseconds, and a
 * cradle that joins its groups holds up everybody who reads /proc/PID/cgroup.
 */
const REFILL_MS = 120;

export class Nursery {
  readonly #options: NurseryOptions;
  readonly #path: string;
  #kept: Prepared | undefined;
  #last: Plan | undefined;
  #isClosed = false;
  #leaving: Promise<void> = Promise.resolve();

  constructor(options: NurseryOptions) {
    this.#options = options;
    const name = `next-${createHash('sha256').update(options.root).digest('hex').slice(0, 8)}`;
    this.#path = options.cgroupParent === undefined ? name : `${options.cgroupParent}/${name}`;
    this.#refill();
  }

  /** The next container is probably like this one. */
  remember(birth: Plan): void {
    this.#last = birth;
  }

  /** The kernel has nothing to wait for when the next container comes. */
  get isReady(): boolean {
    return this.#kept?.process.isWaiting === true && this.#kept.process.standsInGroups;
  }

  /** What is kept, if it fits a container whose group is to be `cgroup`, with `limits`. Somebody else's from then on: launched or {@link leave}d. */
  take(cgroup: Cgroup, limits: CgroupPlan): Prepared | undefined {
    const kept = this.#kept;
    if (kept === undefined) return undefined;
    if (!kept.process.isWaiting) {
      this.#kept = undefined;
      this.#refillSoon();
      return undefined;
    }
    if (kept.group !== undefined && !(kept.process.standsInGroups && isBeside(kept.group, cgroup))) return undefined;
    if (!canReplace(kept.written, devicesOf(limits))) return undefined;
    this.#kept = undefined;
    this.#refillSoon();
    return kept;
  }

  /** `limits` without what stands in the groups of `prepared`. */
  static remaining(limits: CgroupPlan, prepared: Prepared | undefined): CgroupPlan {
    const written = prepared?.written ?? [];
    if (written.length === 0 || textOf(devicesOf(limits)) !== textOf(written)) return limits;
    return { ...limits, writes: limits.writes.filter(({ controller }) => controller !== 'devices') };
  }

  /** The process alone, for one that is born elsewhere: its cradle leaves unused, and so do the groups. */
  takeProcess(): PreparedLauncher | undefined {
    const kept = this.#kept;
    if (kept === undefined || !kept.process.isWaiting) return undefined;
    this.#kept = undefined;
    this.#refillSoon();
    if (kept.group !== undefined) this.#clear(kept.group);
    return kept.process;
  }

  /** For what was taken and not used. */
  leave({ process, group }: Prepared): Promise<void> {
    this.#leaving = this.#leaving.then(() => process.discard());
    if (group !== undefined) this.#clear(group);
    return this.#leaving;
  }

  #clear(group: Cgroup): void {
    // An empty directory that stays is taken over by the next one.
    this.#leaving = this.#leaving.then(() => group.remove()).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#kept !== undefined) void this.leave(this.#kept);
    this.#kept = undefined;
    await this.#leaving;
  }

  #refillSoon(): void {
    void delay(REFILL_MS)
      .then(() => this.#leaving)
      .then(() => this.#refill());
  }

  #refill(): void {
    if (this.#isClosed || this.#kept !== undefined) return;
    const group = this.#makeGroup();
    const written = group === undefined ? [] : this.#writeDeviceRules(group);
    const rehearsal = this.#last !== undefined && this.#options.rehearses() ? rehearsalOf(this.#last) : undefined;
    this.#kept = { process: this.#options.launcher.prepare(group?.procsFiles() ?? [], rehearsal), group, written };
  }

  #writeDeviceRules(group: Cgroup): readonly CgroupWrite[] {
    try {
      const plan = planCgroup({ devices: DOCKER_DEFAULTS.deviceRules }, this.#options.cgroups());
      group.apply(plan);
      return plan.writes;
    } catch {
      return []; // a list that was written in part is begun anew by the container's own, whose first rule denies everything
    }
  }

  /** In v1 hierarchies only. Undefined where there are none, or where we may not. */
  #makeGroup(): Cgroup | undefined {
    const host = this.#options.cgroups();
    const hierarchies = host.hierarchies.filter(({ version, readOnly }) => version === 'v1' && !readOnly);
    if (hierarchies.length === 0) return undefined;
    try {
      const group = openCgroup({ ...host, hierarchies }, { id: '', cgroupsPath: this.#path });
      group.create();
      return Object.keys(group.directories).length > 0 ? group : undefined;
    } catch {
      return undefined; // containers are born slower then, and say themselves what is wrong
    }
  }
}

function devicesOf({ writes }: CgroupPlan): readonly CgroupWrite[] {
  return writes.filter(({ controller }) => controller === 'devices');
}

/** `rules` are the same, or begin with one for every device, which clears the list. */
function canReplace(written: readonly CgroupWrite[], rules: readonly CgroupWrite[]): boolean {
  return written.length === 0 || rules[0]?.value === 'a' || textOf(rules) === textOf(written);
}

function textOf(writes: readonly CgroupWrite[]): string {
  return writes.map(({ hierarchy, file, value }) => `${hierarchy} ${file} ${value}`).join('\n');
}

/** Renaming works among the groups of one parent. */
function isBeside(group: Cgroup, other: Cgroup): boolean {
  return Object.entries(group.directories).every(([name, directory]) => dirname(other.directories[name] ?? '') === dirname(directory));
}

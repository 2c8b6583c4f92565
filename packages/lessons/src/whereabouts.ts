/**
 * Which processes have left the machine's own namespaces, and how, by the kernel's account.
 *
 * Knows: that a child is where its parent is, and that a terminal's shell comes into the machine from outside.
 * Does not know: which namespaces; pictures of processes tell that of those who stay. Pids are the host's.
 */
import type { KernelProcessEvent, KernelSyscallEvent } from '@slipway/journal/types';

/** `born`: clone made namespaces for it or an ancestor. `joined`: it or an ancestor entered those of another. */
export type Whereabout = 'machine' | 'born' | 'joined';

export class Whereabouts {
  readonly #elsewhere = new Map<number, Exclude<Whereabout, 'machine'>>();
  /**
   * Born in the machine, or executing there. Anybody else is on the way in, such as a terminal's shell, whose birth outside may not have
   * been seen at all: the namespaces they join are the machine's.
   */
  readonly #inside = new Set<number>();

  /** A child is where its parent is, unless clone made namespaces for it. */
  fork({ hostPid, hostPidOnly, childHostPid, namespaces = [] }: KernelProcessEvent): void {
    if (childHostPid === undefined) return;
    const where = namespaces.length > 0 ? 'born' : this.#elsewhere.get(hostPid);
    if (where) this.#elsewhere.set(childHostPid, where);
    else this.#elsewhere.delete(childHostPid);
    if (hostPidOnly) this.#inside.delete(childHostPid);
    else this.#inside.add(childHostPid);
  }

  join({ hostPid, hostPidOnly = false, result = 0 }: KernelSyscallEvent): void {
    if (result >= 0 && !hostPidOnly && this.#inside.has(hostPid)) this.#elsewhere.set(hostPid, 'joined');
  }

  /** Executing a program ends a process's entering of the machine. */
  exec({ hostPid }: KernelProcessEvent): void {
    this.#inside.add(hostPid);
  }

  of(hostPid: number): Whereabout {
    return this.#elsewhere.get(hostPid) ?? 'machine';
  }
}

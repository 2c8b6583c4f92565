/**
 * One container in this daemon's memory: its record, who waits for it, who is attached, and the order of its operations.
 *
 * Knows: that operations on one container happen one after another, and waiters are told once.
 * Does not know: what the operations do.
 */
import type { ShimConnection } from '@slipway/launcher';
import type { RuntimeSpec } from '@slipway/oci';
import type { Attachment } from './attachment.ts';
import type { ContainerRecord, ExitFact } from './container.ts';

/** What somebody waits for: the process's next end, or the container's removal. */
export type WaitFor = 'next-exit' | 'removed';

export class LiveContainer {
  record: ContainerRecord;
  /** The engine's own connection to the shim while the process lives. */
  supervisor: ShimConnection | undefined;
  /** What was written into the bundle, from its creation to its first start: most are started at once. */
  spec: RuntimeSpec | undefined;
  /** Hierarchy name → host path, while the process lives. */
  cgroups: Readonly<Record<string, string>> | undefined;
  /** Clients that attached before the process exists; a start takes them along. */
  readonly pendingAttachments = new Set<Attachment>();
  /** Its end is not the last one: it is stopped to be started again. */
  isRestarting = false;
  readonly #waiters = new Map<WaitFor, Set<(exit: ExitFact) => void>>([
    ['next-exit', new Set()],
    ['removed', new Set()],
  ]);
  #queue: Promise<unknown> = Promise.resolve();
  #writes: Promise<unknown> = Promise.resolve();

  constructor(record: ContainerRecord) {
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  /** Runs `work` after everything queued before it. The end of the process is not queued: a stop waits for it in here. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** As {@link exclusive}, for writing the record, so that an older state never lands on a newer one. */
  saving<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#writes.then(work, work);
    this.#writes = result.catch(() => undefined);
    return result;
  }

  /** Resolves when it happens, and not at all once `signal` has said that nobody waits any more; register before causing it. */
  wait(what: WaitFor, signal?: AbortSignal): Promise<ExitFact> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(what);
      waiters?.add(resolve);
      signal?.addEventListener('abort', () => waiters?.delete(resolve), { once: true });
    });
  }

  tell(what: WaitFor, exit: ExitFact): void {
    const waiters = this.#waiters.get(what);
    const told = [...(waiters ?? [])];
    waiters?.clear();
    for (const resolve of told) resolve(exit);
  }
}

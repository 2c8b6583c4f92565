/**
 * What happened, for clients that ask or listen: Docker's and CRI's event streams are views of it.
 *
 * Knows: a bounded past and live listeners.
 * Does not know: filters' syntax of any protocol, nor the journal.
 */

export interface EngineEvent {
  readonly type: 'container' | 'image';
  /** `create`, `start`, `die`, `exec_start: sh` … */
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Wall clock, nanoseconds since 1970. */
  readonly timeNs: bigint;
}

export interface EventLog {
  publish(event: Omit<EngineEvent, 'timeNs'>): void;
  /** Oldest first; at most the last thousand. */
  past(): readonly EngineEvent[];
  /** Calls `listener` for each coming event. Returns how to stop. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}

const KEPT = 1000;

export function createEventLog(nowMs: () => number = Date.now): EventLog {
  const kept: EngineEvent[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  let lastNs = 0n;
  /** Two events of one millisecond still differ in order. */
  const stamp = (): bigint => {
    const ns = BigInt(nowMs()) * 1_000_000n;
    lastNs = lastNs - (lastNs % 1_000_000n) === ns ? lastNs + 1n : ns;
    return lastNs;
  };
  return {
    publish: (event) => {
      const stamped = { ...event, timeNs: stamp() };
      kept.push(stamped);
      if (kept.length > KEPT) kept.shift();
      for (const listener of [...listeners]) listener(stamped);
    },
    past: () => [...kept],
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

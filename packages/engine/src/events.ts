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

export function createEventLog(nowNs: () => bigint = wallClockNs): EventLog {
  const kept: EngineEvent[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  return {
    publish: (event) => {
      const stamped = { ...event, timeNs: nowNs() };
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

/** Date.now() has only milliseconds; two events of one operation must still differ in order. */
function wallClockNs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
}

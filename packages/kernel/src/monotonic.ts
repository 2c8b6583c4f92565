/**
 * The clock everything in the journal is stamped with.
 *
 * Knows: that Node's high-resolution time is CLOCK_MONOTONIC, as the launcher and tracefs (`trace_clock` mono) use it too.
 * Does not know: the time of day.
 */

/** CLOCK_MONOTONIC in milliseconds with a fraction; comparable across the processes of one host. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves after at least this time; for bounded retries. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

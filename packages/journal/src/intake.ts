/**
 * Takes what a machine's engine says into the machine's journal: validated, bounded, rate-limited.
 *
 * Knows: that a machine's root can send anything; which event types it may claim at all (never the host's own findings).
 * Does not know: the socket the bytes come from, nor the ring they end in.
 */
import { createLineSplitter } from './lines.ts';
import { LINE_LIMIT, parseMachineLine } from './ndjson.ts';
import type { JournalBody } from './types.ts';

/** What an engine inside a machine may report. Kernel events, processes, cgroups and checks are found by the host. */
const MACHINE_TYPES: ReadonlySet<JournalBody['type']> = new Set(['span', 'container', 'layers', 'disk', 'notice', 'gap']);

export interface IntakeOptions {
  /** Called for each accepted body, with `atMs` inside the bounds below. */
  readonly emit: (body: JournalBody, atMs: number) => void;
  /** Lines that carry a number up to this one were taken before (a resumed connection) and are passed over. Default -1. */
  readonly after?: number | undefined;
  /** Called with the number of each line that was dealt with, taken or dropped, where it carries one. */
  readonly onNumber?: ((n: number) => void) | undefined;
  /** CLOCK_MONOTONIC milliseconds. */
  readonly now: () => number;
  /** Events a second over the long run; a burst may be four times that. Default 2000. */
  readonly perSecond?: number | undefined;
  /** Asked before each event instead of `perSecond`, where several connections have one bound together. */
  readonly allow?: (() => boolean) | undefined;
  /** Types taken; default: what an engine reports. */
  readonly types?: ReadonlySet<JournalBody['type']> | undefined;
  /** Start of this machine: times before it are taken as now. Default 0. */
  readonly notBeforeMs?: number | undefined;
}

export interface Intake {
  push(chunk: string | Uint8Array): void;
  /** The connection closed: a cut-off last line is dropped, and losses not yet reported are. */
  end(): void;
  readonly accepted: number;
  readonly dropped: number;
}

/** How far ahead of our clock a machine's time may be: both read the same clock, so only delivery differs. */
const AHEAD_MS = 50;
const REPORT_EVERY_MS = 1000;

export function createIntake(options: IntakeOptions): Intake {
  const { emit, now, types = MACHINE_TYPES, notBeforeMs = 0, after = -1, onNumber } = options;
  const { allow = createBucket(options.perSecond ?? 2000, now) } = options;
  let accepted = 0;
  let dropped = 0;
  let unreported = 0;
  let reason = '';
  let reportedMs = Number.NEGATIVE_INFINITY;

  const report = (force: boolean): void => {
    const at = now();
    if (unreported === 0 || (!force && at - reportedMs < REPORT_EVERY_MS)) return;
    emit({ type: 'gap', reason: `dropped from the machine's engine: ${reason}`, count: unreported }, at);
    unreported = 0;
    reportedMs = at;
  };

  const drop = (why: string): void => {
    dropped++;
    unreported++;
    reason = why;
    report(false);
  };

  const lines = createLineSplitter(LINE_LIMIT, (line) => {
    if (!allow()) return drop('more events than a machine may send');
    if (line === undefined) return drop(`line is longer than ${LINE_LIMIT}`);
    const parsed = parseMachineLine(line);
    if (!parsed.ok) return drop(parsed.reason);
    const { body, atMs, n } = parsed.value;
    if (n !== undefined && n <= after) return;
    if (n !== undefined) onNumber?.(n);
    if (!types.has(body.type)) return drop(`a machine may not report "${body.type}"`);
    report(false);
    accepted++;
    emit(body, plausible(atMs, notBeforeMs, now()));
  });

  return {
    push: lines.push,
    end: () => {
      lines.end();
      report(true);
    },
    get accepted() {
      return accepted;
    },
    get dropped() {
      return dropped;
    },
  };
}

function plausible(atMs: number | undefined, notBeforeMs: number, now: number): number {
  return atMs === undefined || atMs < notBeforeMs || atMs > now + AHEAD_MS ? now : atMs;
}

/** A token bucket: `perSecond` over the long run, bursts of four seconds' worth. */
function createBucket(perSecond: number, now: () => number): () => boolean {
  const burst = perSecond * 4;
  let tokens = burst;
  let filledMs = now();
  return () => {
    const at = now();
    tokens = Math.min(burst, tokens + ((at - filledMs) / 1000) * perSecond);
    filledMs = at;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}

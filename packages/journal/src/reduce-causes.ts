/**
 * Spans into traces, and the answer to "why did this change?".
 *
 * Knows: that a change follows its cause within seconds: the learner's command, or the request that reached the engine.
 * Does not know: what changed.
 */
import { pushBounded, replaceAt } from './arrays.ts';
import type { Span } from './types.ts';
import { type Cause, LIMITS, type World, type WorldTrace } from './world.ts';

/** Takes in a span that opened, closed, or was recorded whole. */
export function reduceSpan(world: World, span: Span): World {
  const index = world.traces.findLastIndex((trace) => trace.id === span.trace);
  const trace = world.traces[index];
  const next = trace ? replaceAt(world.traces, index, addSpan(trace, span)) : addTrace(world.traces, span);
  const tracesOmitted = world.tracesOmitted + (trace || world.traces.length < LIMITS.traces ? 0 : 1);
  const grown = { ...world, traces: next, tracesOmitted };
  const opens = span.parent === undefined && !trace;
  return opens ? withCause(grown, { kind: 'request', label: span.name, atMs: span.startMs, trace: span.trace }) : grown;
}

/**
 * Notes a cause. A request that follows a command was most likely made by it: the command stays the cause, with the request's trace.
 * Requests that only look (GET, HEAD, version and list calls) cause nothing.
 */
export function withCause(world: World, cause: Cause): World {
  if (cause.kind === 'command') return { ...world, lastCause: cause };
  if (READS.test(cause.label)) return world;
  const last = world.lastCause;
  const byCommand = last?.kind === 'command' && cause.atMs - last.atMs <= LIMITS.causeMs;
  return { ...world, lastCause: byCommand && cause.trace !== undefined ? { ...last, trace: cause.trace } : cause };
}

const READS = /^(GET|HEAD) /;
/** A command's line may be told a little after its first effects: shell and kernel report by different ways. */
const LATE_MS = 50;
/** On a busy host the shell's way, through pty and pty host, has taken this long. */
const VERY_LATE_MS = 250;
/** What ended so long after the command before is not put down to that when another one comes just now. */
const DOUBTFUL_MS = 1000;

/** Corrects the cause of ends that were taken in just before the command which brought them about. */
export function claimEnds(world: World, cause: Cause): World {
  const processes = world.processes.map((entry) => {
    const { goneAtMs, goneBy } = entry;
    if (goneAtMs === undefined || goneAtMs > cause.atMs || cause.atMs - goneAtMs > VERY_LATE_MS) return entry;
    return goneBy === undefined || goneAtMs - goneBy.atMs > DOUBTFUL_MS ? { ...entry, goneBy: cause } : entry;
  });
  return processes.some((entry, index) => entry !== world.processes[index]) ? { ...world, processes } : world;
}

/** What a change at `atMs` is put down to; undefined when nothing recent can have caused it. */
export function currentCause(world: World, atMs: number): Cause | undefined {
  const cause = world.lastCause;
  return cause && atMs - cause.atMs <= LIMITS.causeMs && cause.atMs - atMs <= LATE_MS ? cause : undefined;
}

/** Where there are too many, what only looked goes first: a push's hundreds of requests must not drive out the build before it. */
function addTrace(traces: readonly WorldTrace[], span: Span): readonly WorldTrace[] {
  const trace = { id: span.trace, spans: [span], omitted: 0 };
  const least = traces.length < LIMITS.traces ? -1 : traces.findIndex(isLook);
  return least < 0 ? pushBounded(traces, trace, LIMITS.traces) : [...traces.toSpliced(least, 1), trace];
}

function isLook({ spans }: WorldTrace): boolean {
  return spans.every(({ actor, name }) => actor === 'registry' || actor === 'client' || READS.test(name));
}

function addSpan(trace: WorldTrace, span: Span): WorldTrace {
  const index = trace.spans.findLastIndex((known) => known.id === span.id);
  if (index >= 0) return { ...trace, spans: replaceAt(trace.spans, index, span) };
  if (trace.spans.length >= LIMITS.spansPerTrace) return { ...trace, omitted: trace.omitted + 1 };
  return { ...trace, spans: [...trace.spans, span] };
}

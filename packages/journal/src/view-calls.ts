/**
 * One request through every layer, as a sequence and as a flame; and the list of requests to choose from.
 *
 * Knows: parents, times, which actor handed over to which.
 * Does not know: pixels. Flame coordinates are milliseconds and rows.
 */
import type { Actor, Span } from './types.ts';
import { containerNames } from './view-processes.ts';
import type { World, WorldTrace } from './world.ts';

export interface CallRow {
  readonly span: Span;
  /** Distance from the outermost span; the flame's row. */
  readonly depth: number;
  /** Since the trace began. */
  readonly offsetMs: number;
  /** Until now for a span that has not ended. */
  readonly durationMs: number;
  /** Not spent in children, at least 0. */
  readonly selfMs: number;
  readonly open: boolean;
}

/** A hand-over from one actor to another, for the sequence. */
export interface CallMessage {
  readonly kind: 'call' | 'return';
  readonly spanId: string;
  readonly from: Actor;
  readonly to: Actor;
  readonly label: string;
  readonly protocol?: string;
  readonly offsetMs: number;
  readonly failed: boolean;
}

export interface CallChain {
  readonly trace: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** Parents before children, siblings by start. */
  readonly rows: readonly CallRow[];
  /** By time. */
  readonly messages: readonly CallMessage[];
  /** Columns of the sequence: who takes part, in order of first appearance. */
  readonly actors: readonly Actor[];
  readonly depth: number;
  readonly omitted: number;
}

/** Layout data of one trace; undefined when the world does not hold it. */
export function callChain(world: World, traceId: string, nowMs: number = world.atMs): CallChain | undefined {
  const trace = world.traces.findLast((entry) => entry.id === traceId);
  if (!trace) return undefined;
  const startMs = Math.min(...trace.spans.map((span) => span.startMs));
  const rows = layOut(trace, startMs, nowMs);
  return {
    trace: traceId,
    startMs,
    durationMs: Math.max(0, ...rows.map((row) => row.offsetMs + row.durationMs)),
    rows,
    messages: messagesOf(rows),
    actors: [...new Set(rows.flatMap((row) => row.span.actor))],
    depth: Math.max(0, ...rows.map((row) => row.depth + 1)),
    omitted: trace.omitted,
  };
}

function layOut(trace: WorldTrace, startMs: number, nowMs: number): CallRow[] {
  const ids = new Set(trace.spans.map((span) => span.id));
  const children = Map.groupBy(trace.spans, (span) =>
    span.parent !== undefined && ids.has(span.parent) && span.parent !== span.id ? span.parent : '',
  );
  const rows: CallRow[] = [];
  const seen = new Set<string>();
  const visit = (span: Span, depth: number): void => {
    if (seen.has(span.id)) return;
    seen.add(span.id);
    const below = (children.get(span.id) ?? []).toSorted(byStart);
    const durationMs = lengthOf(span, nowMs);
    rows.push({
      span,
      depth,
      offsetMs: span.startMs - startMs,
      durationMs,
      selfMs: Math.max(0, durationMs - coveredMs(below, nowMs)),
      open: span.endMs === undefined,
    });
    for (const child of below) visit(child, depth + 1);
  };
  for (const span of (children.get('') ?? []).toSorted(byStart)) visit(span, 0);
  for (const span of trace.spans) visit(span, 0); // parents in a circle can only come from a forged journal
  return rows;
}

/** Time covered by at least one of the spans, which are sorted by start. */
function coveredMs(spans: readonly Span[], nowMs: number): number {
  let covered = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const span of spans) {
    const end = span.startMs + lengthOf(span, nowMs);
    covered += Math.max(0, end - Math.max(span.startMs, reached));
    reached = Math.max(reached, end);
  }
  return covered;
}

function lengthOf(span: Span, nowMs: number): number {
  return Math.max(0, (span.endMs ?? Math.max(nowMs, span.startMs)) - span.startMs);
}

function byStart(a: Span, b: Span): number {
  return a.startMs - b.startMs || (a.operation?.index ?? 0) - (b.operation?.index ?? 0);
}

function messagesOf(rows: readonly CallRow[]): CallMessage[] {
  const actorOf = new Map(rows.map((row) => [row.span.id, row.span.actor]));
  const messages = rows.flatMap((row): CallMessage[] => {
    const { span } = row;
    const from = actorOf.get(span.parent ?? '');
    if (from === undefined || from === span.actor) return [];
    const shared = { spanId: span.id, failed: span.error !== undefined, ...(span.protocol !== undefined && { protocol: span.protocol }) };
    const call: CallMessage = { ...shared, kind: 'call', from, to: span.actor, label: span.name, offsetMs: row.offsetMs };
    if (row.open) return [call];
    const label = span.error ? span.error.code : 'done';
    return [call, { ...shared, kind: 'return', from: span.actor, to: from, label, offsetMs: row.offsetMs + row.durationMs }];
  });
  return messages.sort((a, b) => a.offsetMs - b.offsetMs);
}

export interface TraceSummary {
  readonly id: string;
  readonly name: string;
  readonly actor: Actor;
  readonly startMs: number;
  /** Absent while it runs. */
  readonly durationMs?: number;
  readonly spans: number;
  /** Launcher operations among them: above 0, a container was born here. */
  readonly operations: number;
  readonly failed: boolean;
  readonly container?: string;
  readonly containerName?: string;
}

/** Every request held, newest first. */
export function traces(world: World): readonly TraceSummary[] {
  const names = containerNames(world);
  return world.traces.map((trace) => summarise(trace, names)).sort((a, b) => b.startMs - a.startMs);
}

function summarise(trace: WorldTrace, names: ReadonlyMap<string, string>): TraceSummary {
  const root = trace.spans.find((span) => span.parent === undefined) ?? trace.spans[0];
  const container = root?.container ?? trace.spans.find((span) => span.container !== undefined)?.container;
  const name = container === undefined ? undefined : names.get(container);
  return {
    id: trace.id,
    name: root?.name ?? trace.id,
    actor: root?.actor ?? 'engine',
    startMs: root?.startMs ?? 0,
    ...(root?.endMs !== undefined && { durationMs: root.endMs - root.startMs }),
    spans: trace.spans.length + trace.omitted,
    operations: trace.spans.filter((span) => span.operation).length,
    failed: root?.error !== undefined,
    ...(container !== undefined && { container }),
    ...(name !== undefined && { containerName: name }),
  };
}

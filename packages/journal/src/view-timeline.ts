/**
 * What the timeline shows: one mark for each thing that happened, thinned where many fall together.
 *
 * Knows: lanes, and that a timeline is a few hundred marks wide.
 * Does not know: pixels.
 */
import type { JournalEvent } from './types.ts';

export type TimelineLane = 'calls' | 'containers' | 'kernel' | 'checks' | 'commands' | 'notices';

export interface TimelineMark {
  readonly lane: TimelineLane;
  readonly atMs: number;
  /** Spans: until when; absent while it runs and for moments. */
  readonly endMs?: number;
  /** Of the first thing in it. */
  readonly label: string;
  readonly seq: number;
  /** How many things stand for this mark. */
  readonly count: number;
  readonly trace?: string;
  readonly container?: string;
  /** An error, a failed check, a loss. */
  readonly alarming: boolean;
}

export interface TimelineOptions {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Marks per lane at most; neighbours are merged. Default 300. */
  readonly perLane?: number | undefined;
}

/** Marks of the events between two times, by lane and time. */
export function timelineMarks(events: readonly JournalEvent[], options: TimelineOptions = {}): readonly TimelineMark[] {
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY, perLane = 300 } = options;
  const spans = new Map<string, TimelineMark>();
  const marks: TimelineMark[] = [];
  for (const event of events) {
    const mark = markOfEvent(event);
    if (!mark || mark.atMs > toMs || (mark.endMs ?? mark.atMs) < fromMs) continue;
    if (mark.trace === undefined) marks.push(mark);
    else spans.set(mark.trace, mark); // the closing event replaces the opening one
  }
  const all = [...marks, ...spans.values()].sort((a, b) => a.atMs - b.atMs || a.seq - b.seq);
  return [...Map.groupBy(all, (mark) => mark.lane).values()].flatMap((lane) => thin(lane, perLane));
}

function markOfEvent(event: JournalEvent): TimelineMark | undefined {
  const { seq, atMs } = event;
  const mark = (lane: TimelineLane, label: string, alarming = false): TimelineMark => ({ lane, atMs, label, seq, count: 1, alarming });
  switch (event.type) {
    case 'span': {
      const { span } = event;
      if (span.parent !== undefined) return undefined;
      const base = { ...mark('calls', span.name, span.error !== undefined), atMs: span.startMs, trace: span.trace };
      return {
        ...base,
        ...(span.endMs !== undefined && { endMs: span.endMs }),
        ...(span.container !== undefined && { container: span.container }),
      };
    }
    case 'container':
      return { ...mark('containers', `${event.container.name} ${event.container.status}`), container: event.container.id };
    case 'kernel.exec':
      return mark('kernel', `exec ${event.event.filename ?? event.event.comm}`);
    case 'kernel.fork':
      return mark('kernel', `fork by ${event.event.comm}`);
    case 'kernel.exit':
      return mark('kernel', `exit of ${event.event.comm}`);
    case 'kernel.syscall':
      return mark('kernel', `${event.event.syscall} by ${event.event.comm}`);
    case 'kernel.oom':
      return mark('kernel', `out of memory: ${event.event.comm} is killed`, true);
    case 'check':
      return mark('checks', `${event.check.task} ${event.check.status}`, event.check.status === 'regressed');
    case 'command':
      return mark('commands', event.line);
    case 'notice':
      return mark('notices', event.text, event.level === 'error');
    case 'gap':
      return mark('notices', `events lost: ${event.reason}`, true);
    default:
      return undefined;
  }
}

/** Merges neighbours that fall into the same of `max` equal steps of time. */
function thin(marks: readonly TimelineMark[], max: number): readonly TimelineMark[] {
  if (marks.length <= max) return marks;
  const start = marks[0]?.atMs ?? 0;
  const step = Math.max(((marks.at(-1)?.atMs ?? start) - start) / max, 1e-6);
  const buckets = new Map<number, TimelineMark>();
  for (const mark of marks) {
    const bucket = Math.min(max - 1, Math.floor((mark.atMs - start) / step));
    const first = buckets.get(bucket);
    buckets.set(bucket, first ? merge(first, mark) : mark);
  }
  return [...buckets.values()];
}

function merge(first: TimelineMark, next: TimelineMark): TimelineMark {
  const endMs = Math.max(first.endMs ?? first.atMs, next.endMs ?? next.atMs);
  const ended = first.endMs !== undefined || next.endMs !== undefined;
  return { ...first, count: first.count + next.count, alarming: first.alarming || next.alarming, ...(ended && { endMs }) };
}

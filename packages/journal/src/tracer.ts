/**
 * Spans: intervals with a parent, written to the journal when they open and again when they close.
 *
 * Knows: ids, parents, errors, and that payloads are redacted and bounded before anybody sees them.
 * Does not know: where events go (`emit`) or what time it is (`now`). Context is passed by hand: a span's handle is its children's `parent`.
 */
import { findEngineError } from '@slipway/errors';
import { boundText, redactText, showPayload } from './redact.ts';
import { sourceOfStack } from './source-line.ts';
import type { Actor, JournalBody, Span } from './types.ts';

/** What a child needs of its parent: pass it along, store it, send it over a socket. */
export interface SpanContext {
  readonly id: string;
  readonly trace: string;
}

/** What is known when an interval begins. `request` may be any value; it is redacted and bounded here. */
export interface SpanInit {
  readonly actor: Actor;
  readonly name: string;
  readonly protocol?: string | undefined;
  readonly container?: string | undefined;
  readonly pid?: number | undefined;
  readonly request?: unknown;
  /** Absent: the span begins a trace of its own. */
  readonly parent?: SpanContext | undefined;
  /** `packages/…/file.ts:line`; absent: the line that called the tracer. */
  readonly source?: string | undefined;
}

/** What became known while it ran; absent fields leave what was there. */
export interface SpanUpdate {
  readonly response?: unknown;
  readonly container?: string | undefined;
  readonly pid?: number | undefined;
}

/** An interval that has not ended. */
export interface OpenSpan extends SpanContext {
  /** Notes a fact for the closing event; the last value of a field wins. */
  note(update: SpanUpdate): void;
  /** Writes the closing event; later calls do nothing. With `error` the span is shown as failed. */
  close(error?: unknown): void;
}

/** An interval measured elsewhere, with times in CLOCK_MONOTONIC milliseconds. */
export interface FinishedSpan extends SpanInit, SpanUpdate {
  readonly startMs: number;
  /** Absent: it goes on; a later record of the same identity completes it. */
  readonly endMs?: number;
  readonly error?: unknown;
  readonly operation?: Span['operation'];
  /** Identity of a span that somebody outside began (a client that traces itself); absent: a new one. */
  readonly as?: SpanContext;
}

export interface Tracer {
  /**
   * Runs `work` inside a span: closed when it settles, marked with its error when it throws. The error goes on to the caller.
   *
   * One place of the sources gives spans a name, and it is looked up once: names are words of the code, never of a request.
   */
  span<T>(init: SpanInit, work: (span: OpenSpan) => Promise<T> | T): Promise<T>;
  /** For intervals that do not end where they begin (a stream, a hijacked connection). The caller closes it. */
  open(init: SpanInit): OpenSpan;
  /** Writes an interval as one event: launcher operations, work measured elsewhere. */
  record(finished: FinishedSpan): SpanContext;
}

export interface TracerOptions {
  /**
   * Takes an event that is put into words when `write` is called: searching a payload for secrets and reading a stack take longer than much of
   * what they tell of, and may wait until that is done. Payloads must not change in between.
   */
  readonly emit: (write: () => JournalBody, atMs: number) => void;
  /** CLOCK_MONOTONIC milliseconds with a fraction. */
  readonly now: () => number;
  /** Unique across everything that writes to one journal, restarts included. Default: random prefix and a count. */
  readonly newId?: (() => string) | undefined;
}

const NAME_LIMIT = 256;
const MESSAGE_LIMIT = 1024;

export function createTracer({ emit, now, newId = createIds() }: TracerOptions): Tracer {
  const emitSpan = (write: () => Span, atMs: number): void => emit(() => ({ type: 'span', span: write() }), atMs);

  const open = (init: SpanInit, place = placeOf(init)): OpenSpan => {
    const begun: Begun = { id: newId(), startMs: now(), place };
    const updates: SpanUpdate[] = [];
    let closed = false;
    let written: Span | undefined;
    const begin = () => (written ??= beginSpan(init, begun));
    emitSpan(begin, begun.startMs);
    return {
      id: begun.id,
      trace: init.parent?.trace ?? begun.id,
      note: (update) => void updates.push(update),
      close: (error) => {
        if (closed) return;
        closed = true;
        const endMs = now();
        emitSpan(() => Object.assign({}, begin(), ...updates.map(updateFields), { endMs }, errorField(error)), endMs);
      },
    };
  };

  const placesByName = new Map<string, Place>();
  const placeByName = (init: SpanInit): Place => {
    const place = placesByName.get(init.name) ?? placeOf(init);
    placesByName.set(init.name, place);
    return place;
  };

  return {
    open: (init) => open(init),
    span: async (init, work) => {
      const span = open(init, placeByName(init));
      try {
        const result = await work(span);
        span.close();
        return result;
      } catch (error) {
        span.close(error ?? new Error('unknown failure'));
        throw error;
      }
    },
    record: (finished) => {
      const { startMs, endMs, error, operation } = finished;
      const begun: Begun = { id: finished.as?.id ?? newId(), startMs, place: placeOf(finished) };
      const trace = finished.as?.trace ?? finished.parent?.trace ?? begun.id;
      const ended = endMs === undefined ? {} : { endMs };
      emitSpan(
        () => ({
          ...beginSpan(finished, begun),
          trace,
          ...ended,
          ...updateFields(finished),
          ...errorField(error),
          ...(operation && { operation: boundOperation(operation) }),
        }),
        endMs ?? startMs,
      );
      return { id: begun.id, trace };
    },
  };
}

/** A tracer that writes nothing: for callers that nobody observes. `work` runs all the same. */
export const silentTracer: Tracer = createTracer({ emit: () => {}, now: () => 0, newId: () => '' });

/** What is known of a span at once. */
interface Begun {
  readonly id: string;
  readonly startMs: number;
  readonly place: Place;
}

/** Says which line of the sources it was. */
type Place = () => string | undefined;

/** V8 notes a stack quickly and takes its time to write it down, so the error is kept as it is until somebody asks. */
function placeOf({ source }: SpanInit): Place {
  if (source !== undefined) return () => source;
  let caller: Error | undefined = noteCaller();
  let found: string | undefined;
  return () => {
    found ??= sourceOfStack(caller?.stack);
    caller = undefined;
    return found;
  };
}

/** As deep as whoever calls the tracer from within a library's callbacks. Each frame costs. */
const CALLER_DEPTH = 7;

function noteCaller(): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = CALLER_DEPTH;
  const caller = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return caller;
}

function beginSpan(init: SpanInit, { id, startMs, place }: Begun): Span {
  const { parent } = init;
  const source = place();
  const request = showPayload(init.request);
  return {
    id,
    ...(parent && { parent: parent.id }),
    trace: parent?.trace ?? id,
    actor: init.actor,
    name: boundText(redactText(init.name), NAME_LIMIT),
    startMs,
    ...(init.protocol !== undefined && { protocol: init.protocol }),
    ...(init.container !== undefined && { container: init.container }),
    ...(init.pid !== undefined && { pid: init.pid }),
    ...(request !== undefined && { request }),
    ...(source !== undefined && { source }),
  };
}

function updateFields(update: SpanUpdate): Partial<Span> {
  const response = showPayload(update.response);
  return {
    ...(response !== undefined && { response }),
    ...(update.container !== undefined && { container: update.container }),
    ...(update.pid !== undefined && { pid: update.pid }),
  };
}

function errorField(error: unknown): Pick<Span, 'error'> {
  if (error === undefined) return {};
  const code = findEngineError(error)?.code ?? (error instanceof Error ? error.name : 'Error');
  const message = error instanceof Error ? error.message : String(error);
  return { error: { code: boundText(code, 100), message: boundText(redactText(message), MESSAGE_LIMIT) } };
}

function boundOperation(operation: NonNullable<Span['operation']>): NonNullable<Span['operation']> {
  return {
    ...operation,
    pointer: boundText(operation.pointer, 512),
    reason: boundText(operation.reason, 512),
    args: showPayload(operation.args) ?? '',
  };
}

function createIds(): () => string {
  const prefix = [...globalThis.crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}

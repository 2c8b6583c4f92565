/**
 * The outermost span of a command line: what the learner typed, told by our own client in headers.
 *
 *     x-slipway-span: <trace>/<span>    x-slipway-command: docker%20run%20…    x-slipway-started: <CLOCK_MONOTONIC ms>
 *
 * Knows: how the headers are spelled and bounded; a command may make several requests, and its span lasts until the last is answered.
 * Does not know: what the command does. Real docker clients send none of this, and their traces begin with the request.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { parentInHeaders, type SpanContext, type Tracer } from '@slipway/journal';

const MAX_COMMAND = 3000;

export interface ClientSpan {
  /** What the request's own span hangs below. */
  readonly parent: SpanContext | undefined;
  /** To be called when the request has been answered. */
  answered(): void;
}

export function clientSpan(headers: IncomingHttpHeaders, tracer: Tracer): ClientSpan {
  const parent = parentInHeaders(headers);
  const command = commandOf(headers['x-slipway-command']);
  const startMs = Number(headers['x-slipway-started']);
  if (parent === undefined || command === undefined || !(startMs > 0 && startMs <= now())) return { parent, answered: () => {} };
  const told = {
    actor: 'client',
    name: command,
    protocol: 'command line',
    startMs,
    as: parent,
    source: 'apps/cli/src/docker/main.ts:1',
  } as const;
  tracer.record(told);
  return { parent, answered: () => void tracer.record({ ...told, endMs: now() }) };
}

/** CLOCK_MONOTONIC milliseconds: the client on the same kernel reads the same clock. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function commandOf(header: unknown): string | undefined {
  if (typeof header !== 'string' || header === '' || header.length > MAX_COMMAND) return undefined;
  try {
    return decodeURIComponent(header);
  } catch {
    return undefined;
  }
}

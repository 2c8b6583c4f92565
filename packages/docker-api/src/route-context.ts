/**
 * What every route file gets.
 *
 * Knows: the backend, the tracer and facts about the machine.
 * Does not know: any route.
 */
import type { OpenSpan, Tracer } from '@slipway/journal';
import type { FastifyRequest } from 'fastify';
import type { Backend, BackendBuilder, SystemFacts } from './backend.ts';

export interface RouteContext {
  readonly backend: Backend;
  /** Absent: builds are refused. */
  readonly builder?: BackendBuilder;
  readonly tracer: Tracer;
  readonly facts: SystemFacts;
  /** Where a container's log is, for `inspect`. */
  readonly logPath: (id: string) => string;
  /** A failure that is a bug here; clients only learn that there was one. */
  readonly onInternalError: (error: unknown) => void;
}

const spans = new WeakMap<FastifyRequest, OpenSpan>();

/** Remembers the span that was opened for a request. */
export function keepSpan(request: FastifyRequest, span: OpenSpan): void {
  spans.set(request, span);
}

export function spanOf(request: FastifyRequest): OpenSpan | undefined {
  return spans.get(request);
}

/** `params` as fastify gives them, for routes declared with `:id` or `*`. */
export function param(request: FastifyRequest, name: string): string {
  const value =
    typeof request.params === 'object' && request.params !== null ? Object.entries(request.params).find(([key]) => key === name)?.[1] : '';
  return typeof value === 'string' ? value : '';
}

export function query(request: FastifyRequest): Readonly<Record<string, unknown>> {
  return typeof request.query === 'object' && request.query !== null ? { ...request.query } : {};
}

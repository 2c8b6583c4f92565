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

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's own; null until its body has been read. */
    span: OpenSpan | null;
  }
}

export function spanOf({ span }: FastifyRequest): OpenSpan | undefined {
  return span ?? undefined;
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

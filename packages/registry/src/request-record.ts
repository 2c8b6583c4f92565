/**
 * What a request was and how it ended, for whoever keeps a journal.
 *
 * Knows: that a request has ended when its connection has let go of the answer, finished or not.
 * Does not know: journals. An upload's name is a key to it, so only its beginning is told.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { monotonicMs } from '@slipway/kernel';
import type { Target } from './request-path.ts';

/** How many bytes of bodies have gone which way. */
export interface Traffic {
  receivedBytes: number;
  /** Handed to the kernel; a client that went away may have read fewer. */
  sentBytes: number;
}

/** Texts from headers are the client's, cut to {@link TEXT_LIMIT} characters. */
export interface RequestRecord {
  /** CLOCK_MONOTONIC milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly method: string;
  /** Without query; an upload's name is cut to eight characters. */
  readonly path: string;
  /** Absent: the path is none of the API's, or was refused before it was read. */
  readonly target?: Target;
  /** A mount that was asked for: which blob, and from where if that was said. */
  readonly mount?: { readonly digest: string; readonly from?: string };
  /** The digest that ends an upload. */
  readonly digest?: string;
  /** As the client sent it: which part it wants. */
  readonly range?: string;
  readonly userAgent?: string;
  /** As the client sent it: the span of a journal that it asks for. */
  readonly span?: string;
  /** Absent: the client went away before there was an answer. */
  readonly status?: number;
  /** What the answer names: of a manifest by tag, its digest. */
  readonly answeredDigest?: string;
  /** Which part the answer is, or where an upload is. */
  readonly answeredRange?: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** How many bytes the answer's body has; absent where none was said. */
  readonly answerBytes?: number;
  /** False: the connection broke before the answer was out. */
  readonly isComplete: boolean;
  /** Code and sentence of the distribution spec's error, where the answer is one. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** What the server finds out on the way. */
export interface Findings {
  target?: Target;
  failure?: NonNullable<RequestRecord['failure']>;
}

const TEXT_LIMIT = 200;
const UPLOAD_NAME = /(\/blobs\/uploads\/[^/?]{8})[^/?]+/;

/** Calls `tell` once, after the request has ended. What is read from `findings` and `traffic` is what they are by then. */
export function recordRequest(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  { findings, traffic }: { readonly findings: Findings; readonly traffic: Traffic },
  tell: (record: RequestRecord) => void,
): void {
  const startMs = monotonicMs();
  const { url = '/', method = 'GET', headers } = request;
  const [path = '/'] = url.split('?', 1);
  const query = new URLSearchParams(url.slice(path.length + 1));
  response.once('close', () => {
    const { target, failure } = findings;
    tell({
      startMs,
      endMs: monotonicMs(),
      method,
      path: cut(path.replace(UPLOAD_NAME, '$1…')),
      ...(target && { target: withoutKey(target) }),
      ...mountOf(query),
      ...text('digest', query.get('digest')),
      ...text('range', headers.range ?? headers['content-range']),
      ...text('userAgent', headers['user-agent']),
      ...text('span', headers['x-slipway-span']),
      ...(response.headersSent && { status: response.statusCode }),
      ...text('answeredDigest', response.getHeader('docker-content-digest')),
      ...text('answeredRange', response.getHeader('content-range') ?? response.getHeader('range')),
      ...traffic,
      ...answerBytes(response),
      isComplete: response.writableFinished,
      ...(failure && { failure }),
    });
  });
}

function mountOf(query: URLSearchParams): Pick<RequestRecord, 'mount'> {
  const [digest, from] = [query.get('mount'), query.get('from')];
  return digest === null ? {} : { mount: { digest: cut(digest), ...(from === null ? {} : { from: cut(from) }) } };
}

function answerBytes(response: ServerResponse): Pick<RequestRecord, 'answerBytes'> {
  const length = response.getHeader('content-length');
  return length === undefined || response.req.method === 'HEAD' ? {} : { answerBytes: Number(length) };
}

function withoutKey(target: Target): Target {
  return target.kind === 'upload' ? { ...target, id: target.id.slice(0, 8) } : target;
}

function text<K extends string>(name: K, value: unknown): { readonly [P in K]?: string } {
  return typeof value === 'string' ? ({ [name]: cut(value) } as { readonly [P in K]: string }) : {};
}

function cut(value: string): string {
  return value.slice(0, TEXT_LIMIT);
}

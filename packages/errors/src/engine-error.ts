/**
 * The one error type that leaves an engine package.
 *
 * Knows: the closed list of failure kinds callers may branch on.
 * Does not know: HTTP, gRPC or exit codes; each protocol package keeps its own table.
 */

/** What a caller can do about a failure. Adding a kind is an API change. */
export type ErrorKind =
  | 'invalid-argument' // the request can never work; fix the input
  | 'not-found'
  | 'already-exists'
  | 'failed-precondition' // would work from another state, e.g. after `kill`
  | 'permission-denied'
  | 'unavailable' // may work if retried unchanged
  | 'data-loss' // bytes on disk do not match their digest
  | 'unsupported' // this kernel or this build cannot do it
  | 'internal'; // a bug here

/** One thing wrong with a document, at one place. */
export interface Issue {
  /** JSON pointer of the value at fault, `''` for the whole document. */
  readonly path: string;
  readonly message: string;
}

const KINDS: ReadonlySet<unknown> = new Set<ErrorKind>([
  'invalid-argument',
  'not-found',
  'already-exists',
  'failed-precondition',
  'permission-denied',
  'unavailable',
  'data-loss',
  'unsupported',
  'internal',
]);

/** True for a value that names a kind, e.g. one that came back from a worker process. */
export function isErrorKind(value: unknown): value is ErrorKind {
  return KINDS.has(value);
}

export interface EngineErrorInit {
  /** Stable identifier, listed in docs/errors.md; tests and lessons match on this, never on the message. */
  readonly code: `E_${string}`;
  /** Operation in `noun.verb` form, e.g. `snapshot.commit`. */
  readonly op: string;
  /** The id, path or digest the operation was about. */
  readonly subject?: string;
  /** One sentence telling the reader what to try next. */
  readonly hint?: string;
  /** Everything wrong with a validated document, not only the first thing. */
  readonly issues?: readonly Issue[];
  readonly cause?: unknown;
}

/**
 * A failure with a kind the caller can act on, a code to look up and, often, a hint.
 *
 * Messages are lower case, carry no full stop and quote the offending value.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: ErrorKind;
  readonly code: `E_${string}`;
  readonly op: string;
  readonly subject: string | undefined;
  readonly hint: string | undefined;
  readonly issues: readonly Issue[];

  constructor(kind: ErrorKind, message: string, init: EngineErrorInit) {
    super(message, { cause: init.cause });
    this.kind = kind;
    this.code = init.code;
    this.op = init.op;
    this.subject = init.subject;
    this.hint = init.hint;
    this.issues = init.issues ?? [];
  }
}

/** True when `error`, or the nearest EngineError among its causes, has this kind. */
export function isKind(error: unknown, kind: ErrorKind): boolean {
  return findEngineError(error)?.kind === kind;
}

/** True when `error`, or the nearest EngineError among its causes, has this code. */
export function hasCode(error: unknown, code: `E_${string}`): boolean {
  return findEngineError(error)?.code === code;
}

/** The nearest EngineError among `error` and its causes; undefined when there is none. */
export function findEngineError(error: unknown): EngineError | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e instanceof EngineError) return e;
  }
  return undefined;
}

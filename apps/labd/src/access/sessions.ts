/**
 * Who a browser is: one-time login codes and the sessions they begin.
 *
 * Knows: secrets, their digests and lifetimes. Only digests are kept, so that the database holds nothing to log in with.
 * Does not know: HTTP.
 *
 *     code (in the address's fragment, once) ──login──▶ cookie (HttpOnly) ──derives──▶ token (header of every POST)
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import type { Store } from '../store.ts';

export interface LearnerSession {
  readonly learner: string;
  /** Digest of the cookie: names the session without being able to begin it. */
  readonly key: string;
  readonly token: string;
}

export interface SessionsOptions {
  readonly store: Pick<Store, 'addSession' | 'sessionLearner' | 'removeSession'>;
  readonly codeMs: number;
  readonly now?: () => number;
}

const SECRET_BYTES = 32;
const SESSION_MS = 30 * 24 * 60 * 60 * 1000;
/** Codes that may wait to be used at a time; the oldest goes first. */
const MAX_CODES = 100;

export class Sessions {
  readonly #store: SessionsOptions['store'];
  readonly #codeMs: number;
  readonly #now: () => number;
  readonly #codes = new Map<string, { readonly learner: string; readonly expiresMs: number }>();

  constructor({ store, codeMs, now = Date.now }: SessionsOptions) {
    this.#store = store;
    this.#codeMs = codeMs;
    this.#now = now;
  }

  /** A code that begins one session for this learner, within its lifetime. */
  issueCode(learner: string): string {
    const code = secret();
    this.#codes.set(digest(code), { learner, expiresMs: this.#now() + this.#codeMs });
    const [oldest] = this.#codes.keys();
    if (this.#codes.size > MAX_CODES && oldest !== undefined) this.#codes.delete(oldest);
    return code;
  }

  /**
   * Uses up a code. The session is always a new one: a cookie planted beforehand gains nothing.
   * @throws EngineError `permission-denied` / `E_LOGIN_CODE`
   */
  login(code: string): { readonly cookie: string; readonly maxAgeSeconds: number; readonly session: LearnerSession } {
    const key = digest(code);
    const entry = this.#codes.get(key);
    this.#codes.delete(key);
    if (entry === undefined || entry.expiresMs < this.#now()) {
      throw new EngineError('permission-denied', 'this login code was used before or has expired', {
        code: 'E_LOGIN_CODE',
        op: 'session.login',
        hint: 'get a new address with `kill -USR1` and the process id of labd, or start the lab again',
      });
    }
    const cookie = secret();
    this.#store.addSession(digest(cookie), entry.learner, this.#now() + SESSION_MS);
    return { cookie, maxAgeSeconds: SESSION_MS / 1000, session: sessionOf(cookie, entry.learner) };
  }

  /** The session of a cookie; undefined for an absent, unknown or expired one. */
  find(cookie: string | undefined): LearnerSession | undefined {
    if (cookie === undefined || cookie.length > 100) return undefined;
    const learner = this.#store.sessionLearner(digest(cookie));
    return learner === undefined ? undefined : sessionOf(cookie, learner);
  }

  /** Whether the session behind this key still stands; long connections ask now and then. */
  stands(session: LearnerSession): boolean {
    return this.#store.sessionLearner(session.key) === session.learner;
  }
}

/** Compares without telling by its duration how much was right. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(expected).digest());
}

function sessionOf(cookie: string, learner: string): LearnerSession {
  return { learner, key: digest(cookie), token: createHmac('sha256', cookie).update('x-slipway').digest('base64url') };
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

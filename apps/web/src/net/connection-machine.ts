/**
 * The life of the one WebSocket, as a pure state machine.
 *
 *     idle ─start─▶ opening ─opened─▶ greeting ─welcome─▶ live
 *                     ▲  ╲              │ closed            │ closed, two pongs missed, woke from sleep and no pong
 *                     │   ╲closed       ▼                   ▼
 *                     └─tick/online── waiting ◀─────────────┘        any ─refused─▶ signed-out
 *
 * Knows: when to open, greet, ping, give up and try again. Time is told to it (milliseconds of any steadily rising clock).
 * Does not know: sockets, timers, the browser (connection.ts drives it).
 */

export type ConnectionPhase = 'idle' | 'opening' | 'greeting' | 'live' | 'waiting' | 'signed-out';

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** Failed attempts in a row. */
  readonly attempt: number;
  /** When the phase began. */
  readonly since: number;
  /** waiting: when to try again. */
  readonly retryAt: number;
  /** live: when the last ping went out, and whether its pong is still missing since then. */
  readonly pingAt: number;
  readonly awaiting: number | undefined;
  readonly missed: number;
  readonly pingId: number;
}

export type ConnectionEvent =
  | { readonly type: 'start' }
  | { readonly type: 'opened' }
  | { readonly type: 'welcome' }
  | { readonly type: 'closed' }
  | { readonly type: 'pong'; readonly id: number }
  | { readonly type: 'tick' }
  /** The network came back, the page was shown again, or the learner asked: do not wait out the back-off. */
  | { readonly type: 'wake' }
  /** The session is not valid any more. */
  | { readonly type: 'refused' }
  | { readonly type: 'stop' };

export type ConnectionEffect =
  | { readonly do: 'open' }
  | { readonly do: 'hello' }
  | { readonly do: 'ping'; readonly id: number }
  | { readonly do: 'close' };

export interface Step {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

export const PING_EVERY_MS = 10_000;
/** After a sleep the socket is probably dead; one short question tells. */
const WAKE_PATIENCE_MS = 3_000;
const OPEN_PATIENCE_MS = 10_000;
const BACKOFF_MS = [300, 700, 1500, 3000, 5000, 8000] as const;

export function initialConnection(): ConnectionState {
  return { phase: 'idle', attempt: 0, since: 0, retryAt: 0, pingAt: 0, awaiting: undefined, missed: 0, pingId: 0 };
}

/** What happens next. Pure: same state, event and time, same step. */
export function stepConnection(state: ConnectionState, event: ConnectionEvent, now: number): Step {
  switch (event.type) {
    case 'start':
      return state.phase === 'idle' || state.phase === 'signed-out' ? opening(initialConnection(), now) : stay(state);
    case 'opened':
      return state.phase === 'opening' ? { state: { ...state, phase: 'greeting', since: now }, effects: [{ do: 'hello' }] } : stay(state);
    case 'welcome':
      return state.phase === 'greeting'
        ? stay({ ...state, phase: 'live', attempt: 0, since: now, pingAt: now, awaiting: undefined, missed: 0 })
        : stay(state);
    case 'pong':
      return state.phase === 'live' && event.id === state.pingId ? stay({ ...state, awaiting: undefined, missed: 0 }) : stay(state);
    case 'closed':
      return state.phase === 'idle' || state.phase === 'signed-out' || state.phase === 'waiting' ? stay(state) : waiting(state, now, false);
    case 'tick':
      return tick(state, now);
    case 'wake':
      return wake(state, now);
    case 'refused':
      return { state: { ...state, phase: 'signed-out', since: now }, effects: [{ do: 'close' }] };
    case 'stop':
      return { state: initialConnection(), effects: [{ do: 'close' }] };
  }
}

function tick(state: ConnectionState, now: number): Step {
  if (state.phase === 'waiting') return now >= state.retryAt ? opening(state, now) : stay(state);
  if (state.phase === 'opening' || state.phase === 'greeting')
    return now - state.since > OPEN_PATIENCE_MS ? waiting(state, now, true) : stay(state);
  if (state.phase !== 'live') return stay(state);
  if (state.awaiting !== undefined && now >= state.awaiting) return waiting(state, now, true);
  if (now - state.pingAt < PING_EVERY_MS) return stay(state);
  // A tick that comes far too late means that the machine slept: the answer is then wanted soon.
  const slept = now - state.pingAt > 3 * PING_EVERY_MS;
  return ping(state, now, slept ? WAKE_PATIENCE_MS : 2 * PING_EVERY_MS);
}

function wake(state: ConnectionState, now: number): Step {
  if (state.phase === 'waiting') return opening(state, now);
  return state.phase === 'live' ? ping(state, now, WAKE_PATIENCE_MS) : stay(state);
}

function ping(state: ConnectionState, now: number, patienceMs: number): Step {
  const id = state.pingId + 1;
  // An older unanswered ping keeps its own deadline: two missed answers end the connection.
  const awaiting = state.awaiting === undefined ? now + patienceMs : Math.min(state.awaiting, now + patienceMs);
  return { state: { ...state, pingAt: now, pingId: id, awaiting, missed: state.missed + 1 }, effects: [{ do: 'ping', id }] };
}

function opening(state: ConnectionState, now: number): Step {
  return { state: { ...state, phase: 'opening', since: now }, effects: [{ do: 'open' }] };
}

function waiting(state: ConnectionState, now: number, close: boolean): Step {
  const delay = BACKOFF_MS[Math.min(state.attempt, BACKOFF_MS.length - 1)] ?? 8000;
  return {
    state: { ...state, phase: 'waiting', attempt: state.attempt + 1, since: now, retryAt: now + delay, awaiting: undefined, missed: 0 },
    effects: close ? [{ do: 'close' }] : [],
  };
}

function stay(state: ConnectionState): Step {
  return { state, effects: [] };
}

/**
 * Clears away what requests left while nobody waits: the young garbage as soon as nothing is asked, so that no collection falls between the
 * next container's request and its execve; all of it, and the memory, once nothing has been asked for a while, since an engine stands idle for
 * most of its life, and a lab has one for every learner.
 *
 * Knows: when a server is at rest. Does not know: what it serves.
 */
import type { Server } from 'node:http';

/** Longer than what a request leaves to be done takes (the journal's entries are put into words 10 ms after it). */
const PAUSE_MS = 25;
/** Longer than any client waits between two requests of one command. */
const REST_MS = 2000;

/** Does nothing without Node's --expose-gc, which bin/slipwayd sets. Returns how to stop it. */
export function restAfterRequests(http: Server): () => void {
  const { gc } = globalThis;
  if (gc === undefined) return () => undefined;
  // Made once and put off by each request: a new timer for each costs more than some of what is asked.
  const pause = setTimeout(() => gc({ type: 'minor', execution: 'sync' }), PAUSE_MS).unref(); // starting up leaves something, too
  const rest = setTimeout(() => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }), REST_MS).unref();
  const noteRequest = () => {
    pause.refresh();
    rest.refresh();
  };
  http.on('request', noteRequest);
  return () => {
    http.off('request', noteRequest);
    clearTimeout(pause);
    clearTimeout(rest);
  };
}

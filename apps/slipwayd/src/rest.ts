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
  let lastMs = 0;
  let isSwept = true;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const calmMs = performance.now() - lastMs;
    timer = undefined;
    if (calmMs >= REST_MS) return gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    if (!isSwept && calmMs >= PAUSE_MS) {
      isSwept = true;
      gc({ type: 'minor', execution: 'sync' });
    }
    timer = setTimeout(look, (isSwept ? REST_MS : PAUSE_MS) - calmMs).unref();
  };
  const noteRequest = () => {
    lastMs = performance.now();
    if (timer !== undefined && !isSwept) return;
    clearTimeout(timer);
    isSwept = false;
    timer = setTimeout(look, PAUSE_MS).unref();
  };
  http.on('request', noteRequest);
  noteRequest(); // starting up leaves something, too
  return () => {
    http.off('request', noteRequest);
    clearTimeout(timer);
  };
}

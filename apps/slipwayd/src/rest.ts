/**
 * Gives back what the last requests left, once nothing has been asked for a while: an engine stands idle for most of its life, and a lab
 * has one for every learner.
 *
 * Knows: when a server is at rest. Does not know: what it serves.
 */
import type { Server } from 'node:http';

/** Longer than any client waits between two requests of one command. */
const REST_MS = 2000;

/** Does nothing without Node's --expose-gc, which bin/slipwayd sets. Returns how to stop it. */
export function restAfterRequests(http: Server): () => void {
  const { gc } = globalThis;
  if (gc === undefined) return () => undefined;
  let lastMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const leftMs = lastMs + REST_MS - performance.now();
    timer = leftMs > 0 ? setTimeout(look, leftMs).unref() : undefined;
    if (timer === undefined) gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  };
  const noteRequest = () => {
    lastMs = performance.now();
    timer ??= setTimeout(look, REST_MS).unref();
  };
  http.on('request', noteRequest);
  noteRequest(); // starting up leaves something, too
  return () => {
    http.off('request', noteRequest);
    clearTimeout(timer);
  };
}

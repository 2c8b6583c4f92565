/**
 * The pty host's executable: `node pty-host-main.ts SOCKET IDLE_MS`.
 *
 * Knows: its two arguments and its signals.
 * Does not know: what it hosts (pty-host.ts).
 */
import { PtyHost } from './pty-host.ts';

const [socketPath, idleMs] = process.argv.slice(2);
if (socketPath === undefined || !Number.isFinite(Number(idleMs))) {
  process.stderr.write('usage: pty-host-main.ts SOCKET IDLE_MS\n');
  process.exit(2);
}

const host = new PtyHost({ socketPath, idleMs: Number(idleMs), onEnd: () => process.exit(0) });
process.on('SIGTERM', () => void host.end());
// It has no controlling terminal; a Ctrl-C meant for labd must not reach it through a shared one.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
await host.listen();

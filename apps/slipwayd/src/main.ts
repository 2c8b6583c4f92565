/**
 * slipwayd: starts the daemon, and ends it when asked to.
 *
 * Knows: signals, exit codes, where messages go.
 * Does not know: what the daemon is made of (daemon.ts).
 */
import { readFileSync } from 'node:fs';
import { findEngineError } from '@slipway/errors';
import { readConfig } from './config.ts';
import { startDaemon } from './daemon.ts';
import { createLog } from './log.ts';

const VERSION = readVersion();

async function main(): Promise<void> {
  const request = readConfig(process.argv.slice(2), process.env, VERSION);
  if (request.kind === 'print') {
    process.stdout.write(`${request.text}\n`);
    return;
  }
  const log = createLog(request.config);
  const daemon = await startDaemon(request.config, VERSION, log);
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping; containers go on');
    daemon.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopped with an error');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a failure that nobody handled'));
  log.info({ version: VERSION, pid: process.pid, root: request.config.root }, 'slipwayd is up');
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return version;
}

main().catch((error: unknown) => {
  const known = findEngineError(error);
  const hint = known?.hint === undefined ? '' : ` (${known.hint})`;
  process.stderr.write(`slipwayd: ${error instanceof Error ? error.message : String(error)}${hint}\n`);
  process.exit(1);
});

/**
 * `npm start`: reads the configuration, starts the lab, prints its address, ends it on a signal.
 *
 * Knows: standard output (one line, and one more for each SIGUSR1), exit codes, signals.
 * Does not know: what a lab consists of (lab-daemon.ts), where its parts come from (host-parts.ts).
 */
import { readFileSync } from 'node:fs';
import { findEngineError } from '@slipway/errors';
import { openPtyHost } from '@slipway/terminal';
import { pino } from 'pino';
import { type Config, configSources, readConfig } from './config.ts';
import { CHECKOUT, openHostObserver, openLabMachines, readHost } from './host-parts.ts';
import { type RunningLab, startLab } from './lab-daemon.ts';

const CONFIG_FILE = '/etc/slipway/config.toml';
/**
 * Taking everything down may last this long, more than all that is waited for meanwhile and that a machine can draw out (a line of a
 * lesson's preparation, a workbench agent): what is not removed by then stays. After a second signal, so long.
 */
const END_MS = 60_000;
const HURRIED_MS = 3000;
const SAME_SIGNAL_MS = 500;
/** A pty host without labd and terminals ends after this. */
const PTY_HOST_IDLE_MS = 10 * 60_000;

async function main(): Promise<void> {
  const config = readConfig(configSources(readOptional(CONFIG_FILE)));
  const lab = await start(config);
  const announce = () => process.stdout.write(`Slipway is at ${lab.address()}\n`);
  process.on('SIGUSR1', announce);
  announce();
  endOnSignal(lab);
}

async function start(config: Config): Promise<RunningLab> {
  const facts = readHost();
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const ptyHost = { socketPath: `${config.runDir}/pty/host.sock`, logPath: `${config.dataDir}/pty-host.log`, idleMs: PTY_HOST_IDLE_MS };
  return await startLab(config, {
    facts,
    log,
    machines: openLabMachines(config, log),
    observer: await openHostObserver(config, log),
    openPtyHost: (listener) => openPtyHost(ptyHost, listener),
    webDir: `${CHECKOUT}/apps/web/out`,
    contentDir: `${CHECKOUT}/content`,
    labsDir: `${CHECKOUT}/labs`,
    watchLessons: config.devOrigin !== undefined,
  });
}

/** The first signal takes everything down; a second one gives that only a moment more. */
function endOnSignal(lab: RunningLab): void {
  let endingSince: number | undefined;
  const end = (): void => {
    // One Ctrl-C can arrive twice: from the terminal, and passed on by npm.
    if (endingSince !== undefined && performance.now() - endingSince < SAME_SIGNAL_MS) return;
    if (endingSince !== undefined) {
      setTimeout(() => process.exit(1), HURRIED_MS).unref();
      return;
    }
    endingSince = performance.now();
    process.stderr.write('Ending the lab: terminals, machines, mounts …\n');
    setTimeout(() => process.exit(1), END_MS).unref();
    lab.end().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** One sentence and what to try; details of a mistake of ours as they are. */
function fail(error: unknown): never {
  const known = findEngineError(error);
  const text = known === undefined ? String(error instanceof Error ? error.stack : error) : `slipway: ${known.message}`;
  process.stderr.write(`${text}\n${known?.hint === undefined ? '' : `  try: ${known.hint}\n`}`);
  process.exit(1);
}

main().catch(fail);

/**
 * `create`, `run` and `exec` where all goes well, on QuickJS (native/quick): the commands themselves, over a Node that is just enough.
 *
 * Knows: when Node has to take over: to ask systemd, and for every failure as long as no process has come to life that would come to
 *   life once more.
 * Does not know: the commands; a failure's words are Node's to say wherever it can.
 */
import './globals.ts';
import { GivenProcess, type Launched } from '@slipway/launcher';
import { type FlagTable, parseFlags } from '../../flags.ts';
import { CREATE, DEFAULT_ROOT, EXEC, GLOBAL, RUN } from '../command-line.ts';
import type { Command, Context } from '../context.ts';
import { create, run } from '../create.ts';
import { exec } from '../exec.ts';
import { fail } from '../failure.ts';
import { FRONT_ENDS, frontOf } from '../front.ts';
import { type Log, openLog } from '../output.ts';
import { resolve } from './node-path.ts';
import { system } from './system.ts';

interface Entry {
  readonly flags: FlagTable;
  readonly stopsAtWords: boolean;
  readonly command: Command;
}

const COMMANDS = new Map<string, Entry>([
  ['create', { flags: CREATE, stopsAtWords: false, command: create }],
  ['run', { flags: RUN, stopsAtWords: false, command: run }],
  ['exec', { flags: EXEC, stopsAtWords: true, command: exec }],
]);

/** What happens in a command that is begun once more is said then. */
class HeldBack implements Log {
  readonly #log: Log;
  readonly #lines: Parameters<Log['write']>[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  get toFile(): boolean {
    return this.#log.toFile;
  }

  write(...line: Parameters<Log['write']>): void {
    this.#lines.push(line);
  }

  release(): void {
    for (const line of this.#lines) this.#log.write(...line);
  }
}

class Launch extends GivenProcess {
  hasMade = false;

  override async launch(...args: Parameters<GivenProcess['launch']>): Promise<Launched> {
    const launched = await super.launch(...args);
    this.hasMade = true;
    return launched;
  }
}

/** Undefined: Node's to do. */
async function main(args: readonly string[]): Promise<number | undefined> {
  const global = parseFlags(args, GLOBAL, false);
  const [name = '', ...rest] = global.words;
  const entry = COMMANDS.get(name);
  const format = global.value('log-format') ?? 'text';
  if (entry === undefined || (format !== 'text' && format !== 'json')) return undefined;
  if (['help', 'version', 'systemd-cgroup'].some((flag) => global.has(flag))) return undefined;

  const flags = parseFlags(rest, entry.flags, !entry.stopsAtWords);
  const root = resolve(global.value('root') ?? DEFAULT_ROOT);
  const log = new HeldBack(openLog(global.value('log'), format));
  const launcher = new Launch(FRONT_ENDS);
  const context: Context = {
    root,
    flags,
    log,
    systemd: false,
    out: () => undefined,
    front: frontOf(launcher),
  };
  try {
    const code = await entry.command(context);
    launcher.discard();
    log.release();
    return code;
  } catch (error) {
    // A container that was created and never started has been taken away again; of any other process somebody has seen something.
    if (!launcher.hasMade || name === 'create') throw error;
    const code = fail(log, error, name);
    log.release();
    return code;
  }
}

main(system.args.slice(2)).then(
  (code) => code !== undefined && system.end(code),
  (error: Error) => system.leave(`${error}\n${error.stack}`),
);

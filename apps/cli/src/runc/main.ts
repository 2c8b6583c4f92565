/**
 * The runc dialect: the command line that containerd, dockerd, podman and CRI-O expect of an OCI runtime.
 *
 * Knows: which word is which command, its flags, and how a failure is told.
 * Does not know: what a command does; each is loaded when it is called.
 */
import { resolve } from 'node:path';
import { type FlagTable, parseFlags } from '../flags.ts';
import { CREATE, DEFAULT_ROOT, EXEC, GLOBAL, RUN, SWITCH, VALUE } from './command-line.ts';
import { type Command, UsageMistake } from './context.ts';
import { fail } from './failure.ts';
import { findFront } from './front.ts';
import { openLog } from './output.ts';

interface Entry {
  readonly about: string;
  readonly flags: FlagTable;
  /** Words after the first belong to the program that is run. */
  readonly stopsAtWords?: boolean;
  load(): Promise<Command>;
}

const UPDATE: FlagTable = {
  resources: { ...VALUE, short: 'r' },
  ...Object.fromEntries(
    ['blkio-weight', 'cpu-period', 'cpu-quota', 'cpu-share', 'cpu-rt-period', 'cpu-rt-runtime', 'cpuset-cpus', 'cpuset-mems'].map(
      (name) => [name, VALUE],
    ),
  ),
  ...Object.fromEntries(
    ['memory', 'memory-reservation', 'memory-swap', 'pids-limit', 'l3-cache-schema', 'mem-bw-schema'].map((name) => [name, VALUE]),
  ),
};

const lifecycle = () => import('./lifecycle.ts');
const create = () => import('./create.ts');
const list = () => import('./list.ts');

const COMMANDS: Readonly<Record<string, Entry>> = {
  create: { about: 'create a container', flags: CREATE, load: async () => (await create()).create },
  delete: { about: 'remove a container', flags: { force: { ...SWITCH, short: 'f' } }, load: async () => (await lifecycle()).remove },
  events: {
    about: 'what a container uses, at an interval or once',
    flags: { interval: VALUE, stats: SWITCH },
    load: async () => (await import('./events.ts')).events,
  },
  exec: {
    about: 'run a further process in a container',
    flags: EXEC,
    stopsAtWords: true,
    load: async () => (await import('./exec.ts')).exec,
  },
  features: { about: 'what this runtime can do, as JSON', flags: {}, load: async () => (await import('./features.ts')).features },
  kill: {
    about: 'send a signal (default: SIGTERM)',
    flags: { all: { ...SWITCH, short: 'a' } },
    load: async () => (await lifecycle()).kill,
  },
  list: {
    about: 'list containers',
    flags: { format: { ...VALUE, short: 'f' }, quiet: { ...SWITCH, short: 'q' } },
    load: async () => (await list()).list,
  },
  pause: { about: 'freeze a container', flags: {}, load: async () => (await lifecycle()).pause },
  ps: {
    about: 'processes of a container',
    flags: { format: { ...VALUE, short: 'f' } },
    stopsAtWords: true,
    load: async () => (await list()).ps,
  },
  resume: { about: 'thaw a container', flags: {}, load: async () => (await lifecycle()).resume },
  run: {
    about: 'create and start a container',
    flags: RUN,
    load: async () => (await create()).run,
  },
  spec: {
    about: 'write a config.json to start from',
    flags: { bundle: { ...VALUE, short: 'b' }, rootless: SWITCH },
    load: async () => (await import('./spec.ts')).spec,
  },
  start: { about: 'start a created container', flags: {}, load: async () => (await lifecycle()).start },
  state: { about: 'state of a container, as JSON', flags: {}, load: async () => (await lifecycle()).state },
  update: { about: 'change the limits of a container', flags: UPDATE, load: async () => (await import('./update.ts')).update },
};

/** Commands of runc's that there are not, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  checkpoint: 'saving processes needs criu, which this runtime does not drive',
  restore: 'restoring processes needs criu, which this runtime does not drive',
};

const UNKNOWN_COMMAND = 3;

export interface Call {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @returns the exit code */
export async function main({ args, environment }: Call): Promise<number> {
  const front = findFront(environment);
  let log = openLog(undefined, 'text');
  let name = '';
  try {
    const global = parseFlags(args, GLOBAL, false);
    const format = global.value('log-format') ?? 'text';
    log = openLog(global.value('log'), format === 'json' ? 'json' : 'text');
    if (format !== 'text' && format !== 'json') throw new UsageMistake(`invalid log-format: ${format}`);
    const [word = 'help', ...rest] = global.words;
    name = word;
    if (global.has('version')) return print(await version());
    if (name === 'help' || global.has('help')) return print(help(name));
    const entry = requireCommand(name);
    const flags = parseFlags(rest, { ...entry.flags, help: { ...SWITCH, short: 'h' } }, entry.stopsAtWords !== true);
    if (flags.has('help')) return print(help(name));
    const command = await entry.load();
    const root = resolve(global.value('root') ?? DEFAULT_ROOT);
    return await command({ root, flags, log, systemd: global.has('systemd-cgroup'), out: print, front });
  } catch (error) {
    return fail(log, error, name);
  } finally {
    front?.launcher.discard();
  }
}

function requireCommand(name: string): Entry {
  if (Object.hasOwn(REFUSED, name)) throw new UsageMistake(`runc: "${name}" is not supported: ${REFUSED[name]}`);
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry !== undefined) return entry;
  throw new UsageMistake(`No help topic for '${name}'`, UNKNOWN_COMMAND);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function help(name: string): string {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry !== undefined)
    return `runc ${name}: ${entry.about}\nflags: ${
      Object.keys(entry.flags)
        .map((flag) => `--${flag}`)
        .join(' ') || 'none'
    }\n`;
  const lines = Object.entries(COMMANDS).map(([word, { about }]) => `   ${word.padEnd(10)}${about}`);
  return `runc: an OCI runtime\n\nUSAGE: runc [global options] command [command options] [arguments...]\n\nCOMMANDS:\n${lines.join('\n')}\n\nGLOBAL OPTIONS: ${Object.keys(
    GLOBAL,
  )
    .map((flag) => `--${flag}`)
    .join(' ')}\n`;
}

async function version(): Promise<string> {
  const { OCI_VERSION } = await import('@slipway/oci');
  return `runc version 1.1.5+slipway\nspec: ${OCI_VERSION}\n`;
}

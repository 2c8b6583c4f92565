/**
 * The docker dialect: the verbs of the docker client, for machines without one.
 *
 * Knows: which word is which command, and how failures become exit codes.
 * Does not know: what a command does (commands/); each is loaded when it is called, because start-up time is felt at every prompt.
 */

import { describeFlags, type FlagTable, HelpAsked, parseFlags, UsageError } from '../flags.ts';
import { VERSION } from '../version.ts';
import type { Command } from './commands/context.ts';
import { DaemonError, openDaemon, socketPath, UnreachableError } from './daemon.ts';

const run = () => import('./commands/run.ts');
const lifecycle = () => import('./commands/lifecycle.ts');
const list = () => import('./commands/list.ts');
const inspect = () => import('./commands/inspect.ts');
const follow = () => import('./commands/follow.ts');
const archive = () => import('./commands/archive.ts');
const disk = () => import('./commands/disk.ts');
const transfer = () => import('./commands/transfer.ts');

const COMMANDS: Readonly<Record<string, { readonly about: string; load(): Promise<Command> }>> = {
  attach: { about: "join a running container's streams", load: async () => (await run()).attach },
  build: { about: 'make an image from a Dockerfile', load: async () => (await import('./commands/build.ts')).build },
  'builder-prune': { about: 'forget the results of earlier builds', load: async () => (await disk()).builderPrune },
  commit: { about: "make an image of a container's files", load: async () => (await archive()).commit },
  cp: { about: 'copy files into or out of a container', load: async () => (await import('./commands/cp.ts')).cp },
  create: { about: 'make a container without starting it', load: async () => (await run()).create },
  df: { about: 'what images, containers and build steps take on disk', load: async () => (await disk()).df },
  diff: { about: 'what differs from the image', load: async () => (await archive()).diff },
  events: { about: 'what the engine reports, as it happens', load: async () => (await follow()).events },
  exec: { about: 'run a further program in a running container', load: async () => (await import('./commands/exec.ts')).exec },
  export: { about: "a container's files as a tar", load: async () => (await archive()).exportFiles },
  history: { about: 'the steps that made an image', load: async () => (await list()).history },
  'image-prune': { about: 'remove images that nobody needs', load: async () => (await disk()).imagePrune },
  images: { about: 'list images', load: async () => (await list()).images },
  import: { about: 'make an image from a tar', load: async () => (await archive()).importImage },
  info: { about: 'about the engine and its host', load: async () => (await inspect()).info },
  inspect: { about: 'everything known of containers or images', load: async () => (await inspect()).inspect },
  kill: { about: 'send a signal', load: async () => (await lifecycle()).kill },
  load: { about: 'take in an image archive', load: async () => (await import('./commands/load.ts')).load },
  login: { about: 'log in to a registry', load: async () => (await transfer()).login },
  logout: { about: 'forget a login', load: async () => (await transfer()).logout },
  logs: { about: "a container's output", load: async () => (await follow()).logs },
  pause: { about: 'freeze', load: async () => (await lifecycle()).pause },
  ps: { about: 'list containers', load: async () => (await list()).ps },
  pull: { about: 'fetch an image from a registry', load: async () => (await transfer()).pull },
  push: { about: 'send an image to a registry', load: async () => (await transfer()).push },
  rename: { about: 'give another name', load: async () => (await lifecycle()).rename },
  restart: { about: 'stop and start', load: async () => (await lifecycle()).restart },
  rm: { about: 'remove containers', load: async () => (await lifecycle()).rm },
  rmi: { about: 'remove images', load: async () => (await lifecycle()).rmi },
  run: { about: 'make and start a container', load: async () => (await run()).run },
  save: { about: 'images as an archive', load: async () => (await archive()).save },
  start: { about: 'start a stopped container', load: async () => (await run()).start },
  stats: { about: 'memory, CPU and processes, live', load: async () => (await follow()).stats },
  stop: { about: 'ask to end, then make it end', load: async () => (await lifecycle()).stop },
  tag: { about: 'give an image one more name', load: async () => (await archive()).tag },
  top: { about: "a container's processes", load: async () => (await inspect()).top },
  unpause: { about: 'thaw', load: async () => (await lifecycle()).unpause },
  update: { about: 'change the limits of containers', load: async () => (await lifecycle()).update },
  version: { about: 'versions', load: async () => (await inspect()).version },
  wait: { about: 'until it ends; prints the exit code', load: async () => (await lifecycle()).wait },
};

/** `docker container ls` and friends are the same commands by longer names. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  container: { ls: 'ps', list: 'ps' },
  image: { ls: 'images', list: 'images', pull: 'pull', push: 'push', rm: 'rmi', prune: 'image-prune' },
  builder: { prune: 'builder-prune' },
  system: { info: 'info', events: 'events', df: 'df' },
};

const ENGINE_FAILED = 125;
/** A flag before the command that there is not, as the docker client answers it. */
const GLOBAL_FLAG_WRONG = 125;

const GLOBAL_FLAGS: FlagTable = {
  host: { kind: 'value', short: 'H' },
  help: { kind: 'switch', short: 'h' },
  version: { kind: 'switch', short: 'v' },
};

export interface DockerMainOptions {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** CLOCK_MONOTONIC milliseconds. */
  readonly startedMs: number;
}

/**
 * Runs one command and ends the process with its exit code: a request that is still waiting (for an exit that will not come) must not
 * keep us alive.
 */
export async function main(options: DockerMainOptions): Promise<number> {
  const code = await runCommand(options);
  for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
  process.exit(code);
}

async function runCommand({ args, environment, startedMs }: DockerMainOptions): Promise<number> {
  const out = (text: string) => void process.stdout.write(text);
  const err = (text: string) => void process.stderr.write(text);
  let host: string | undefined;
  let words: readonly string[];
  try {
    ({ host, words } = globalFlags(args));
  } catch (error) {
    err(`${error instanceof Error ? error.message : String(error)}\nSee 'docker --help'.\n`);
    return GLOBAL_FLAG_WRONG;
  }
  const [name = 'help', ...rest] = commandWords(words);
  if (name === 'help') return say(out, help());
  if (name === '--version') return say(out, `Docker version ${VERSION} (slipway)\n`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    err(`docker: '${name}' is not a docker command that this client knows.\nSee 'docker --help'\n`);
    return 1;
  }
  const creates = name === 'run' || name === 'create';
  try {
    const daemon = openDaemon({
      socketPath: socketPath(host ?? environment['DOCKER_HOST']),
      command: ['docker', ...args].join(' '),
      startedMs,
    });
    return await (await command.load())({ daemon, args: rest, environment, out, err });
  } catch (error) {
    if (error instanceof HelpAsked) return say(out, `docker ${name}: ${command.about}\n${describeFlags(error.table)}`);
    err(explain(error, name, creates));
    return creates ? ENGINE_FAILED : 1;
  }
}

function globalFlags(args: readonly string[]): { host: string | undefined; words: readonly string[] } {
  const flags = parseFlags(args, GLOBAL_FLAGS, false);
  if (flags.has('help')) return { host: undefined, words: ['help'] };
  return { host: flags.value('host'), words: flags.has('version') ? ['--version'] : flags.words };
}

function say(out: (text: string) => void, text: string): number {
  out(text);
  return 0;
}

function commandWords(words: readonly string[]): readonly string[] {
  const [group = '', verb = '', ...rest] = words;
  if (!Object.hasOwn(GROUPS, group)) return words;
  if (verb === 'inspect' && (group === 'image' || group === 'container')) return [verb, '--type', group, ...rest];
  return [GROUPS[group]?.[verb] ?? verb, ...rest];
}

function explain(error: unknown, name: string, creates: boolean): string {
  const prefix = creates ? 'docker: ' : '';
  if (error instanceof UsageError) return `${prefix}${error.message}\nSee 'docker ${name} --help'.\n`;
  if (error instanceof DaemonError) return `${prefix}Error response from daemon: ${error.message}\n`;
  if (error instanceof UnreachableError) return `${prefix}${error.message}\n`;
  return `${prefix}${error instanceof Error ? error.message : String(error)}\n`;
}

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`);
  return `Usage: docker [-H unix:///path] COMMAND\n\nThe verbs of the docker client, spoken to Slipway's engine.\n\n${lines.join('\n')}\n`;
}

/**
 * The buildah dialect: images put together by single commands, from a shell script instead of a Dockerfile.
 *
 *     c=$(buildah from busybox)           a working container: a root file system that can be written, and an image config
 *     buildah run $c -- mkdir /app        a command on that root
 *     buildah copy $c site /app           files into it
 *     buildah config --cmd 'httpd -f' $c  the config
 *     buildah commit $c site              both become an image: the base's layers, and one more
 *
 * Knows: which word is which command, and how failures are told.
 * Does not know: what a command does; each is loaded when it is called, because start-up time is felt at every prompt.
 */
import type { Command } from '../docker/commands/context.ts';
import { openDaemon, socketPath } from '../docker/daemon.ts';
import { parseFlags } from '../flags.ts';

const transfer = () => import('./transfer.ts');
const list = () => import('./list.ts');
const mounts = () => import('./mount.ts');

const COMMANDS: Readonly<Record<string, { readonly about: string; load(): Promise<Command> }>> = {
  add: {
    about: 'add content to the container; archives are unpacked, addresses fetched',
    load: async () => (await import('./copy.ts')).add,
  },
  build: { about: 'build an image from a Dockerfile', load: async () => (await import('./build.ts')).build },
  commit: { about: 'create an image from a working container', load: async () => (await import('./commit.ts')).commit },
  config: { about: "update a working container's image configuration", load: async () => (await import('./config.ts')).config },
  containers: { about: 'list working containers and their base images', load: async () => (await list()).containers },
  copy: { about: 'copy content into the container', load: async () => (await import('./copy.ts')).copy },
  from: { about: 'create a working container from an image, or from scratch', load: async () => (await import('./from.ts')).from },
  images: { about: 'list images', load: async () => (await list()).images },
  inspect: { about: 'the configuration of a container or image', load: async () => (await list()).inspect },
  mount: { about: "mount a working container's root file system", load: async () => (await mounts()).mount },
  pull: { about: 'pull an image', load: async () => (await transfer()).pull },
  push: { about: 'push an image to a destination', load: async () => (await transfer()).push },
  rename: { about: 'rename a container', load: async () => (await import('./remove.ts')).rename },
  rm: { about: 'remove working containers', load: async () => (await import('./remove.ts')).rm },
  rmi: { about: 'remove images', load: async () => (await import('./remove.ts')).rmi },
  run: { about: 'run a command inside of the container', load: async () => (await import('./run.ts')).run },
  tag: { about: 'add an additional name to an image', load: async () => (await transfer()).tag },
  umount: { about: 'unmount root file systems of working containers', load: async () => (await mounts()).umount },
};

const ALIASES: Readonly<Record<string, string>> = {
  bud: 'build',
  'build-using-dockerfile': 'build',
  delete: 'rm',
  list: 'containers',
  ls: 'containers',
  ps: 'containers',
  unmount: 'umount',
};

/** What buildah ends with when it could not do it. */
const FAILED = 125;

interface Call {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** CLOCK_MONOTONIC milliseconds. */
  readonly startedMs: number;
}

/** Runs one command and ends the process with its exit code, whatever is still open. */
export async function main(call: Call): Promise<number> {
  const code = await runCommand(call);
  for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
  process.exit(code);
}

async function runCommand({ args, environment, startedMs }: Call): Promise<number> {
  const out = (text: string) => void process.stdout.write(text);
  const err = (text: string) => void process.stderr.write(text);
  try {
    const flags = parseFlags(
      args,
      { help: { kind: 'switch', short: 'h' }, version: { kind: 'switch', short: 'v' }, 'log-level': { kind: 'value' } },
      false,
    );
    const [word = 'help', ...rest] = flags.words;
    const name = Object.hasOwn(ALIASES, word) ? (ALIASES[word] ?? word) : word;
    if (flags.has('version') || name === 'version') return say(out, 'buildah version 1.28.2 (slipway)\n');
    if (flags.has('help') || name === 'help') return say(out, help());
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw new Error(`unknown command "${name}" for "buildah"`);
    if (rest[0] === '--help') return say(out, `buildah ${name}: ${command.about}\n`);
    const daemon = openDaemon({ socketPath: socketPath(environment['DOCKER_HOST']), command: ['buildah', ...args].join(' '), startedMs });
    return await (await command.load())({ daemon, args: rest, environment, out, err });
  } catch (error) {
    err(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    return FAILED;
  }
}

function say(out: (text: string) => void, text: string): number {
  out(text);
  return 0;
}

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(11)} ${about}`);
  return `A tool that facilitates building OCI images\n\nUsage:\n  buildah [flags] COMMAND\n\nAvailable Commands:\n${lines.join('\n')}\n`;
}

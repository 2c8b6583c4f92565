/**
 * Instructions that change nothing but the image config.
 *
 * Knows: each of them, as `docker build` and `docker commit --change` have them.
 * Does not know: files, layers or stages.
 */
import { type ExecutionDefaults, parseSignal } from '@slipway/oci';
import { readCommand, readPairs, readWords, requireFlags } from './arguments.ts';
import { dockerfileError } from './failure.ts';
import { readHealthcheck } from './healthcheck.ts';
import { type Instruction, parseInstruction } from './parse.ts';
import { type Expansion, expandWord } from './words.ts';

export const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

export interface ConfigPlace extends Expansion {
  /** A `CMD` stands above in the same stage, and so is meant for the entrypoint that follows. */
  readonly hasCommand: boolean;
}

type Apply = (config: ExecutionDefaults, instruction: Instruction, place: ConfigPlace) => ExecutionDefaults;

const APPLY: Readonly<Record<string, Apply>> = {
  CMD: (config, { text }) => ({ ...config, cmd: readCommand(text, config.shell ?? DEFAULT_SHELL) }),
  // An entrypoint makes the command that was meant for the old one meaningless.
  ENTRYPOINT: ({ cmd, ...config }, { text }, { hasCommand }) => ({
    ...config,
    ...(hasCommand && cmd !== undefined ? { cmd } : {}),
    entrypoint: readCommand(text, config.shell ?? DEFAULT_SHELL),
  }),
  ENV: (config, instruction, expansion) => ({ ...config, env: withPairs(config.env, readPairs(instruction, expansion)) }),
  EXPOSE: (config, instruction, expansion) => ({
    ...config,
    exposedPorts: union(
      config.exposedPorts,
      readWords(instruction, expansion).flatMap((word) => readPorts(word, instruction.line)),
    ),
  }),
  HEALTHCHECK: (config, instruction) => ({ ...config, healthcheck: readHealthcheck(instruction, config.shell ?? DEFAULT_SHELL) }),
  LABEL: (config, instruction, expansion) => ({
    ...config,
    labels: { ...config.labels, ...Object.fromEntries(readPairs(instruction, expansion)) },
  }),
  ONBUILD: (config, instruction) => ({ ...config, onBuild: [...(config.onBuild ?? []), readTrigger(instruction)] }),
  SHELL: (config, instruction) => ({ ...config, shell: readShell(instruction) }),
  STOPSIGNAL: (config, instruction, expansion) => ({ ...config, stopSignal: readSignal(instruction, expansion) }),
  USER: (config, instruction, expansion) => ({ ...config, user: requireOne(instruction, expansion) }),
  VOLUME: (config, instruction, expansion) => ({ ...config, volumes: union(config.volumes, readVolumes(instruction, expansion)) }),
  WORKDIR: (config, instruction, expansion) => ({
    ...config,
    workingDir: resolveDirectory(config.workingDir ?? '/', requireOne(instruction, expansion)),
  }),
};

/** True for instructions that {@link applyToConfig} performs. */
export function isConfigInstruction(keyword: string): boolean {
  return Object.hasOwn(APPLY, keyword);
}

/** @throws EngineError `invalid-argument` / `E_DOCKERFILE` */
export function applyToConfig(config: ExecutionDefaults, instruction: Instruction, place: ConfigPlace): ExecutionDefaults {
  const apply = APPLY[instruction.keyword];
  if (apply === undefined) throw dockerfileError(instruction.line, `${instruction.keyword} is not a valid change command`);
  if (instruction.keyword !== 'HEALTHCHECK') requireFlags(instruction, []);
  if (instruction.text === '' && instruction.keyword !== 'CMD') {
    throw dockerfileError(instruction.line, `${instruction.keyword} requires at least one argument`);
  }
  return apply(config, instruction, place);
}

/** `commit --change` and `import --change`: variables are those of the config itself. @throws EngineError `invalid-argument` / `E_DOCKERFILE` */
export function applyChanges(config: ExecutionDefaults, changes: readonly string[]): ExecutionDefaults {
  let hasCommand = false;
  return changes.reduce((changed, text, index) => {
    const instruction = parseInstruction(text, index + 1);
    hasCommand ||= instruction.keyword === 'CMD';
    return applyToConfig(changed, instruction, { lookUp: environmentOf(changed.env), escapeWith: '\\', line: index + 1, hasCommand });
  }, config);
}

/** The value of a name in `NAME=value` entries, the last one winning. */
export function environmentOf(env: readonly string[]): (name: string) => string | undefined {
  const values = new Map(env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
  return (name) => values.get(name);
}

/** `path` seen from `base`, without `.` and `..`. */
export function resolveDirectory(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function withPairs(env: readonly string[], pairs: readonly (readonly [string, string])[]): string[] {
  const result = [...env];
  for (const [name, value] of pairs) {
    const at = result.findIndex((entry) => entry.startsWith(`${name}=`));
    if (at < 0) result.push(`${name}=${value}`);
    else result[at] = `${name}=${value}`;
  }
  return result;
}

function readPorts(word: string, line: number): string[] {
  const [, first = '', last = first, protocol = 'tcp'] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from > to || to > 65_535) throw dockerfileError(line, `invalid containerPort: ${word.slice(0, 40)}`);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${protocol.toLowerCase()}`);
}

function readTrigger({ text, line }: Instruction): string {
  const { keyword } = parseInstruction(text, line);
  if (keyword === 'ONBUILD') throw dockerfileError(line, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (keyword === 'FROM' || keyword === 'MAINTAINER') throw dockerfileError(line, `${keyword} isn't allowed as an ONBUILD trigger`);
  return text;
}

function readShell({ text, line }: Instruction): string[] {
  const words = readCommandList(text);
  if (words === undefined || words.length === 0) throw dockerfileError(line, 'SHELL requires the arguments to be in JSON form');
  return words;
}

function readCommandList(text: string): string[] | undefined {
  return text.startsWith('[') ? readCommand(text, []) : undefined;
}

function readSignal(instruction: Instruction, expansion: Expansion): string {
  const signal = requireOne(instruction, expansion);
  if (parseSignal(signal) === undefined) throw dockerfileError(instruction.line, `Invalid signal: ${signal.slice(0, 40)}`);
  return signal;
}

function readVolumes(instruction: Instruction, expansion: Expansion): string[] {
  const paths = readWords(instruction, expansion);
  if (paths.some((path) => path.trim() === '')) throw dockerfileError(instruction.line, 'VOLUME specified can not be an empty string');
  return paths;
}

function requireOne({ keyword, text, line }: Instruction, expansion: Expansion): string {
  const word = expandWord(text, expansion);
  if (word === '') throw dockerfileError(line, `${keyword} requires exactly one argument`);
  return word;
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

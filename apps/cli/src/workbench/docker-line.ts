/**
 * A `docker run` line → the config.json that the engine would write for it, and which flag set which of its fields.
 *
 * Knows: that what a flag did is found by leaving it out. Pure; nothing is created.
 * Does not know: what any flag means (docker/container-body.ts, packages/docker-api, packages/engine do).
 */
import { readCreateRequest } from '@slipway/docker-api/create-request';
import { type DraftFacts, draftSpec } from '@slipway/engine/draft';
import type { RuntimeSpec } from '@slipway/oci';
import { CREATE_FLAGS, containerBody } from '../docker/container-body.ts';
import { type FlagTable, parseFlags, UsageError } from '../flags.ts';
import { changedPointers } from './changed-pointers.ts';
import { unusable } from './failures.ts';

const RUN_FLAGS: FlagTable = { ...CREATE_FLAGS, detach: { kind: 'switch', short: 'd' } };
const MAX_POINTERS = 200;

export interface FlagOrigin {
  readonly flag: string;
  readonly pointers: readonly string[];
}

/** The line cut up: every flag with its value, the image, the program. */
export interface DockerLine {
  readonly flags: readonly { readonly name: string; readonly words: readonly string[] }[];
  readonly image: string;
  readonly command: readonly string[];
}

/** @throws `failed-precondition` / `E_WORKBENCH_LINE` for a line that is no `docker run` */
export function parseDockerLine(line: string): DockerLine {
  const words = splitWords(line);
  const start = words[0] === 'sudo' ? 1 : 0;
  const verb = words[start + 1] === 'container' ? start + 2 : start + 1;
  if (words[start] !== 'docker' || !['run', 'create'].includes(words[verb] ?? '')) {
    throw refuse('the line has to begin with docker run');
  }
  const rest = words.slice(verb + 1);
  const flags: { name: string; words: string[] }[] = [];
  while (rest[0]?.startsWith('-') && rest[0] !== '-') {
    const first = rest.shift() ?? '';
    if (first === '--') break;
    const taken = [first, ...(takesNext(first) ? rest.splice(0, 1) : [])];
    flags.push({ name: first.startsWith('--') ? first.replace(/=.*$/s, '') : first.slice(0, 2 + clusterLength(first)), words: taken });
  }
  const [image, ...command] = rest;
  if (image === undefined) throw refuse('the line names no image');
  return { flags, image, command };
}

/** The document of a whole line. @throws what the client or the engine refuse about it */
export function documentOf({ flags, image, command }: DockerLine, facts: DraftFacts): RuntimeSpec {
  const args = [...flags.flatMap(({ words }) => words), image, ...command];
  try {
    const parsed = parseFlags(args, RUN_FLAGS, false);
    return draftSpec(readCreateRequest(containerBody(parsed, {}), parsed.value('name')), facts);
  } catch (error) {
    if (error instanceof UsageError) throw refuse(error.message);
    throw error;
  }
}

/** What each flag, and the program, did to the document: the difference to the same line without it. */
export function originsOf(line: DockerLine, facts: DraftFacts): readonly FlagOrigin[] {
  const whole = documentOf(line, facts);
  const origin = (flag: string, without: DockerLine, only: DockerLine): FlagOrigin => {
    const before = attempt(without, facts);
    // Some flags need each other; then what this one does is seen on a line that has no other.
    const pointers = before
      ? changedPointers(before, whole)
      : changedPointers(attempt({ ...line, flags: [] }, facts) ?? whole, attempt(only, facts) ?? whole);
    return { flag, pointers: pointers.slice(0, MAX_POINTERS) };
  };
  const names = [...new Set(line.flags.map(({ name }) => name))];
  const flags = names.map((name) => {
    const without = { ...line, flags: line.flags.filter((flag) => flag.name !== name) };
    return origin(name, without, { ...line, flags: line.flags.filter((flag) => flag.name === name) });
  });
  if (line.command.length === 0) return flags;
  return [...flags, origin('the program', { ...line, command: [] }, { ...line, flags: [] })];
}

function attempt(line: DockerLine, facts: DraftFacts): RuntimeSpec | undefined {
  try {
    return documentOf(line, facts);
  } catch {
    return undefined; // a line that is not whole without the flag
  }
}

/** Whether the next word is a flag's value. */
function takesNext(word: string): boolean {
  if (word.startsWith('--')) {
    const spec = RUN_FLAGS[word.slice(2)];
    return !word.includes('=') && spec !== undefined && spec.kind !== 'switch';
  }
  const letters = word.slice(1);
  const at = valueLetter(letters);
  return at >= 0 && at === letters.length - 1;
}

/** Of `-itm`: the first letter that takes a value; -1 when none does. */
function valueLetter(letters: string): number {
  return [...letters].findIndex((letter) => Object.values(RUN_FLAGS).some(({ short, kind }) => short === letter && kind !== 'switch'));
}

/** Letters after the first that belong to the flags rather than to a value glued to them: `-it`, but `-m64m`. */
function clusterLength(word: string): number {
  const at = valueLetter(word.slice(1));
  return at < 0 ? word.length - 2 : at;
}

/** As a shell would for plain words: quotes and backslashes, no variables. */
function splitWords(line: string): string[] {
  const words: string[] = [];
  const pattern = /\s*((?:[^\s'"\\]|'[^']*'|"(?:[^"\\]|\\.)*"|\\.)+)/gsy;
  let end = 0;
  for (const match of line.matchAll(pattern)) {
    end = match.index + match[0].length;
    words.push((match[1] ?? '').replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs, unquote));
  }
  if (line.slice(end).trim() !== '') throw refuse('a quote in the line is not closed');
  return words;
}

function unquote(_all: string, plain: string | undefined, quoted: string | undefined, escaped: string | undefined): string {
  return plain ?? quoted?.replace(/\\(["\\$`])/g, '$1') ?? (escaped === '\n' ? '' : (escaped ?? ''));
}

function refuse(message: string): Error {
  return unusable(message, 'E_WORKBENCH_LINE', 'for example: docker run --memory 64m busybox sleep 60');
}

/**
 * A Dockerfile's text as instructions with their lines.
 *
 * The library finds instructions, directives and here-documents; their text is put together here, since the library leaves comments
 * between continued lines in it.
 *
 * Knows: lines, flags, here-documents.
 * Does not know: what any instruction means.
 *
 * @see https://docs.docker.com/reference/dockerfile/
 */
import { DockerfileParser } from 'dockerfile-ast';
import { dockerfileError } from './failure.ts';

export interface Heredoc {
  readonly name: string;
  /** The delimiter was not quoted: variables are expanded. */
  readonly expand: boolean;
  readonly content: string;
}

export interface Instruction {
  /** Upper case. */
  readonly keyword: string;
  /** `--name=value`, in order; a flag without a value has `''`. */
  readonly flags: readonly (readonly [name: string, value: string])[];
  /** What follows keyword and flags, continued lines joined; of here-documents only the line that announces them. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  /** First and last line, from 1. */
  readonly line: number;
  readonly endLine: number;
}

export interface Dockerfile {
  readonly instructions: readonly Instruction[];
  readonly escapeWith: string;
}

export const MAX_DOCKERFILE_BYTES = 1024 * 1024;
const MAX_INSTRUCTIONS = 2000;
const KEYWORDS = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);

/** @throws EngineError `invalid-argument` / `E_DOCKERFILE` naming the line */
export function parseDockerfile(text: string): Dockerfile {
  if (Buffer.byteLength(text) > MAX_DOCKERFILE_BYTES) throw dockerfileError(1, `the file is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
  const normal = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  const parsed = DockerfileParser.parse(normal);
  const escapeWith = parsed.getEscapeCharacter();
  const lines = normal.split('\n');
  const found = parsed.getInstructions();
  if (found.length > MAX_INSTRUCTIONS) throw dockerfileError(1, `it has more than ${MAX_INSTRUCTIONS} instructions`);
  const instructions = found.map((instruction): Instruction => {
    const { start, end } = instruction.getRange();
    const keyword = instruction.getKeyword();
    const heredocs = heredocsOf(instruction);
    return readInstruction({ keyword, startLine: start.line, endLine: end.line, lines, escapeWith, heredocs });
  });
  return { instructions, escapeWith };
}

/** As {@link parseDockerfile}, for the one instruction of `ONBUILD` and of `commit --change`. `line` is where it stands. */
export function parseInstruction(text: string, line: number): Instruction {
  const [instruction, more] = parseDockerfile(text).instructions;
  if (instruction === undefined || more !== undefined)
    throw dockerfileError(line, `${JSON.stringify(text.slice(0, 100))} is not one instruction`);
  return { ...instruction, line, endLine: line };
}

/** The library declares it protected on the general class, and public on those that have some. */
function heredocsOf(instruction: object): readonly RawHeredoc[] {
  const method: unknown = Reflect.get(instruction, 'getHeredocs');
  return typeof method === 'function' ? (Reflect.apply(method, instruction, []) as RawHeredoc[]) : [];
}

interface RawHeredoc {
  getName(): string;
  getContentRange(): { start: { line: number }; end: { line: number } } | null;
  getDelimiterRange(): { start: { line: number } } | null;
}

interface RawInstruction {
  readonly keyword: string;
  /** From 0. */
  readonly startLine: number;
  readonly endLine: number;
  readonly lines: readonly string[];
  readonly escapeWith: string;
  readonly heredocs: readonly RawHeredoc[];
}

function readInstruction(raw: RawInstruction): Instruction {
  const { keyword, startLine, endLine, lines, escapeWith } = raw;
  const line = startLine + 1;
  if (!KEYWORDS.has(keyword)) throw dockerfileError(line, `unknown instruction: ${keyword.slice(0, 40)}`);
  const heredocs = raw.heredocs.map((heredoc) => readHeredoc(heredoc, raw));
  const firstBody = raw.heredocs.length === 0 ? endLine + 1 : findBody(raw);
  const joined = joinLines(lines.slice(startLine, firstBody), escapeWith);
  const [, rest = ''] = /^\s*[A-Za-z]+\s*([\s\S]*)$/.exec(joined) ?? [];
  const { flags, text } = cutFlags(rest);
  return { keyword, flags, text: text.trim(), heredocs, line, endLine: endLine + 1 };
}

/** The line behind the one that announces here-documents, continued lines counted. */
function findBody({ startLine, endLine, lines, escapeWith }: RawInstruction): number {
  for (let line = startLine; line <= endLine; line++) if (!isContinued(lines[line] ?? '', escapeWith)) return line + 1;
  return endLine + 1;
}

function isContinued(line: string, escapeWith: string): boolean {
  return line.trimEnd().endsWith(escapeWith);
}

/** Continued lines as one; empty lines and comments in between belong to nobody. */
function joinLines(lines: readonly string[], escapeWith: string): string {
  return lines
    .filter((line, index) => index === 0 || (line.trim() !== '' && !/^\s*#/.test(line)))
    .map((line) => (isContinued(line, escapeWith) ? line.trimEnd().slice(0, -1) : line))
    .join('');
}

function cutFlags(text: string): { readonly flags: Instruction['flags']; readonly text: string } {
  const flags: (readonly [string, string])[] = [];
  let rest = text.trimStart();
  for (;;) {
    const match = /^--([a-zA-Z][a-zA-Z0-9-]*)(?:=("[^"]*"|\S*))?(\s+|$)/.exec(rest);
    if (match === null) return { flags, text: rest };
    const [whole, name = '', value = ''] = match;
    flags.push([name, value.startsWith('"') ? value.slice(1, -1) : value]);
    rest = rest.slice(whole.length);
  }
}

function readHeredoc(heredoc: RawHeredoc, { lines, startLine, endLine }: RawInstruction): Heredoc {
  const name = heredoc.getName();
  const announced = lines.slice(startLine, endLine + 1).join('\n');
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const [, dash = '', quote = ''] = new RegExp(`<<(-?)(["']?)${quoted}\\2`).exec(announced) ?? [];
  const delimiter = heredoc.getDelimiterRange();
  if (delimiter === null) throw dockerfileError(startLine + 1, `unterminated heredoc ${name}`);
  const first = heredoc.getContentRange()?.start.line ?? delimiter.start.line;
  const body = lines.slice(first, delimiter.start.line).map((line) => `${dash === '' ? line : line.replace(/^\t+/, '')}\n`);
  return { name, expand: quote === '', content: body.join('') };
}

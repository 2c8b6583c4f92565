/**
 * An instruction's arguments in the forms that several instructions share.
 *
 * Knows: `["exec", "form"]`, `NAME=value …`, and lists of words.
 * Does not know: what they are for.
 */
import { dockerfileError } from './failure.ts';
import type { Instruction } from './parse.ts';
import { type Expansion, expandWord, splitWords } from './words.ts';

/** The strings of a JSON list; undefined when the text is no such list, which then is taken for a shell's line. */
export function readJsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `["a"]` as it stands; a line as an argument of `shell`. */
export function readCommand(text: string, shell: readonly string[]): string[] {
  return readJsonList(text) ?? [...shell, text];
}

/** Words with variables replaced, of either form. */
export function readWords(instruction: Instruction, expansion: Expansion): string[] {
  const words = readJsonList(instruction.text) ?? splitWords(instruction.text, expansion.escapeWith);
  return words.map((word) => expandWord(word, expansion));
}

/** `A=1 B="x y"`, or the old `A the rest`. @throws EngineError `invalid-argument` / `E_DOCKERFILE` */
export function readPairs(instruction: Instruction, expansion: Expansion): [name: string, value: string][] {
  const { keyword, line, text } = instruction;
  const words = splitWords(text, expansion.escapeWith);
  const [first] = words;
  if (first === undefined) throw dockerfileError(line, `${keyword} requires at least one argument`);
  if (!first.includes('=')) {
    if (words.length < 2) throw dockerfileError(line, `${keyword} must have two arguments`);
    return [[expandWord(first, expansion), expandWord(text.slice(first.length).trim(), expansion)]];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 0)
      throw dockerfileError(line, `Syntax error - can't find = in ${JSON.stringify(word.slice(0, 80))}. Must be of the form: name=value`);
    const name = expandWord(word.slice(0, at), expansion);
    if (name === '') throw dockerfileError(line, `${keyword} names can not be blank`);
    return [name, expandWord(word.slice(at + 1), expansion)];
  });
}

/** One flag's value; undefined when absent. @throws for flags that are not `known` */
export function requireFlags(instruction: Instruction, known: readonly string[]): Map<string, string> {
  const unknown = instruction.flags.find(([name]) => !known.includes(name));
  if (unknown !== undefined) throw dockerfileError(instruction.line, `unknown flag: --${unknown[0]}`);
  return new Map(instruction.flags);
}

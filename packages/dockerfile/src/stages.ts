/**
 * A Dockerfile as stages: what each begins with, what it does, which others it needs.
 *
 * Knows: `FROM`, global `ARG`s, names and numbers of stages.
 * Does not know: images.
 */
import { requireFlags } from './arguments.ts';
import { dockerfileError } from './failure.ts';
import type { Dockerfile, Instruction } from './parse.ts';
import { expandWord, splitWords } from './words.ts';

export interface Stage {
  readonly index: number;
  /** Lower case; absent when it has none. */
  readonly name?: string;
  /** Image reference, `scratch`, or an earlier stage's name; variables expanded. */
  readonly from: string;
  /** The earlier stage that `from` names. */
  readonly fromStage?: number;
  readonly fromLine: number;
  /** As `--platform` has it, variables expanded; absent without, or where the variable is not set. */
  readonly platform?: string;
  readonly instructions: readonly Instruction[];
  /** Defaults of `ARG`s before the first `FROM`, which a stage can ask for by name. */
  readonly globalArgs: ReadonlyMap<string, string>;
}

/**
 * @param buildArgs given by the caller; they outrank defaults
 * @throws EngineError `invalid-argument` / `E_DOCKERFILE`
 */
export function planStages({ instructions, escapeWith }: Dockerfile, buildArgs: Readonly<Record<string, string>>): readonly Stage[] {
  const globalArgs = new Map<string, string>();
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of instructions) {
    const { keyword, line } = instruction;
    const expansion = { lookUp: (name: string) => globalArgs.get(name), escapeWith, line };
    const current = stages.at(-1);
    if (keyword === 'FROM') stages.push(readFrom(instruction, stages, (word) => expandWord(word, expansion), globalArgs));
    else if (current !== undefined) current.instructions.push(instruction);
    else if (keyword !== 'ARG') throw dockerfileError(line, 'no build stage in current context');
    else {
      for (const word of splitWords(instruction.text, escapeWith)) {
        const [name = '', ...rest] = word.split('=');
        const value = buildArgs[name] ?? (rest.length === 0 ? undefined : expandWord(rest.join('='), expansion));
        if (value !== undefined) globalArgs.set(name, value);
      }
    }
  }
  if (stages.length === 0) throw dockerfileError(1, 'file with no instructions');
  return stages;
}

function readFrom(
  instruction: Instruction,
  before: readonly Stage[],
  expand: (word: string) => string,
  globalArgs: ReadonlyMap<string, string>,
): Stage & { instructions: Instruction[] } {
  const { line, text } = instruction;
  requireFlags(instruction, ['platform']);
  const [image = '', as, name, ...more] = splitWords(text);
  if (image === '' || more.length > 0 || (as !== undefined && (as.toUpperCase() !== 'AS' || name === undefined))) {
    throw dockerfileError(line, 'FROM requires either one or three arguments');
  }
  const from = expand(image);
  if (from === '') throw dockerfileError(line, `base name (${image}) should not be blank`);
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/i.test(name))
    throw dockerfileError(line, `invalid name for build stage: ${JSON.stringify(name)}`);
  const parent = findStage(before, from);
  const platform = expand(instruction.flags.find(([flag]) => flag === 'platform')?.[1] ?? '');
  return {
    index: before.length,
    ...(name === undefined ? {} : { name: name.toLowerCase() }),
    from,
    ...(parent === undefined ? {} : { fromStage: parent.index }),
    fromLine: line,
    ...(platform === '' ? {} : { platform }),
    instructions: [],
    globalArgs,
  };
}

function findStage(stages: readonly Stage[], name: string): Stage | undefined {
  return stages.findLast((stage) => stage.name === name.toLowerCase());
}

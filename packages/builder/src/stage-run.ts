/**
 * One stage, instruction by instruction.
 *
 * Knows: what each instruction does to the stage.
 * Does not know: other stages (build.ts asks them), or how a container is run (run-step.ts).
 */
import {
  applyToConfig,
  DEFAULT_SHELL,
  type Expansion,
  environmentOf,
  expandWord,
  type Instruction,
  isConfigInstruction,
  readJsonList,
  requireFlags,
  type Stage,
  splitWords,
} from '@slipway/dockerfile';
import type { NewLayer } from '@slipway/images';
import type { CacheMiss, OpenSpan } from '@slipway/journal';
import type { BuildScope } from './build-scope.ts';
import { type CopyMember, copyDigest, copyLayer, findSources, planCopy, ROOT } from './copy.ts';
import { directoriesAbove } from './copy-above.ts';
import { planCopyStep } from './copy-step.ts';
import { describe } from './describe-plan.ts';
import { stepError } from './failure.ts';
import type { FileTree } from './file-tree.ts';
import { madeDirectory } from './made-files.ts';
import { resolveOwner } from './owner.ts';
import { isPredefinedArg } from './predefined-args.ts';
import { type FilesOf, filesOfMount, parseRunMount, type RunMount } from './run-mounts.ts';
import { runStep } from './run-step.ts';
import { cacheKey, chainOf, type StageState, withAuthor, withConfig, withLayer } from './stage-state.ts';
import type { Ingredients } from './step-memory.ts';

/** What a step came to, for people and for the journal. */
export interface StepResult {
  readonly state: StageState;
  /** Absent for steps that a cache has nothing to do with. */
  readonly cached?: boolean;
  /** Why it was not. */
  readonly miss?: CacheMiss;
}

/** Files of another stage, or of an image. */
export type StateOf = (name: string, line: number) => Promise<StageState>;

export class StageRun {
  readonly #scope: BuildScope;
  readonly #stage: Stage;
  readonly #stateOf: StateOf;
  readonly #escapeWith: string;
  /** `ARG`s in force; undefined: declared without a value. */
  readonly #args = new Map<string, string | undefined>();
  #state: StageState;
  #ordinal = -1;
  #hasCommand = false;

  constructor(
    scope: BuildScope,
    stage: Stage,
    begin: { readonly state: StageState; readonly stateOf: StateOf; readonly escapeWith: string },
  ) {
    this.#scope = scope;
    this.#stage = stage;
    this.#state = begin.state;
    this.#stateOf = begin.stateOf;
    this.#escapeWith = begin.escapeWith;
  }

  /** @throws EngineError naming the line */
  async perform(instruction: Instruction, span: OpenSpan): Promise<StepResult> {
    this.#ordinal++;
    const result = await this.#perform(instruction, span);
    this.#state = result.state;
    return result;
  }

  async #perform(instruction: Instruction, span: OpenSpan): Promise<StepResult> {
    const { keyword } = instruction;
    if (keyword === 'ARG') return this.#declareArgs(instruction);
    if (keyword === 'RUN') return this.#run(instruction, span);
    if (keyword === 'COPY' || keyword === 'ADD') return this.#copy(instruction, span);
    if (keyword === 'MAINTAINER') return { state: withAuthor(this.#state, instruction) };
    if (!isConfigInstruction(keyword)) throw stepError(instruction.line, `${keyword} has no place here`);
    const place = { ...this.#expansion(instruction), hasCommand: this.#hasCommand };
    const config = applyToConfig(this.#state.config, instruction, place);
    this.#hasCommand ||= keyword === 'CMD';
    const state = withConfig(this.#state, config, describe(instruction));
    return keyword === 'WORKDIR' ? this.#makeWorkingDirectory(instruction, state, span) : { state };
  }

  #expansion({ line }: Instruction): Expansion {
    const environment = environmentOf(this.#state.config.env);
    return { lookUp: (name) => environment(name) ?? this.#args.get(name), escapeWith: this.#escapeWith, line };
  }

  #declareArgs(instruction: Instruction): StepResult {
    const expansion = this.#expansion(instruction);
    const words = splitWords(instruction.text, this.#escapeWith);
    if (words.length === 0) throw stepError(instruction.line, 'ARG requires at least one argument');
    for (const word of words) {
      const [name = '', ...rest] = word.split('=');
      const fallback =
        rest.length === 0 ? (this.#stage.globalArgs.get(name) ?? this.#platformArg(name)) : expandWord(rest.join('='), expansion);
      this.#args.set(name, this.#scope.argument(name) ?? fallback);
    }
    return { state: withConfig(this.#state, this.#state.config, describe(instruction)) };
  }

  #platformArg(name: string): string | undefined {
    const { os, architecture, variant = '' } = this.#state.platform;
    const [, which] = /^(?:TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)$/.exec(name) ?? [];
    return { PLATFORM: `${os}/${architecture}`, OS: os, ARCH: architecture, VARIANT: variant }[which ?? ''];
  }

  /** As docker has it, a working directory is there from its line on, and belongs to the user. */
  async #makeWorkingDirectory(instruction: Instruction, state: StageState, span: OpenSpan): Promise<StepResult> {
    const { workingDir = '/', user } = state.config;
    const ingredients = { above: chainOf(state), parts: { path: workingDir, user, times: this.#scope.latestMtime } };
    const { step, ...found } = await this.#cached({ instruction, ingredients, span }, async () => {
      const { kind, path } = await this.#scope.placeAt(state, workingDir);
      if (kind === 'directory') return undefined;
      if (kind === 'other') throw stepError(instruction.line, `${workingDir.slice(0, 200)} is not a directory`);
      const owner = user === undefined ? ROOT : await resolveOwner(this.#scope, state, user, instruction.line);
      const rights = { owner, mtime: this.#nowSeconds() };
      const above = await directoriesAbove(this.#scope, state, [path.slice(1)], rights);
      return this.#ingest([...above, madeDirectory(path.slice(1), { ...owner, mtime: rights.mtime })]);
    });
    if (step.layer === undefined) return { state };
    const [last, ...before] = state.history.toReversed();
    const described = { ...state, history: before.toReversed() };
    return { state: withLayer(described, step, last?.createdBy ?? ''), ...found };
  }

  /** A step's result, from before or made now; where it is made, the span says at once why. */
  async #cached(
    { instruction, ingredients, span }: { readonly instruction: Instruction; readonly ingredients: Ingredients; readonly span: OpenSpan },
    make: () => Promise<NewLayer | undefined>,
  ) {
    const { memory, request } = this.#scope;
    const place = {
      build: request.names[0]?.replace(/:[^:/]*$/, '') ?? '',
      stage: this.#stage.index,
      ordinal: this.#ordinal,
      text: describe(instruction),
    };
    let miss: CacheMiss | undefined;
    const key = cacheKey(instruction.keyword, ingredients.above, ingredients.parts);
    const { step, hit } = await this.#scope.cached(key, () => {
      miss = request.noCache ? { reason: 'unwanted' } : memory.explain(place, ingredients);
      span.note({ response: { cached: false, miss } });
      return make();
    });
    memory.remember(place, ingredients);
    return { step, cached: hit, ...(miss === undefined ? {} : { miss }) };
  }

  async #run(instruction: Instruction, span: OpenSpan): Promise<StepResult> {
    const { line } = instruction;
    const flags = requireFlags(instruction, ['mount', 'network', 'security']);
    if (flags.get('security') === 'insecure') throw stepError(line, 'RUN --security=insecure is not available');
    const { config } = this.#state;
    const expansion = this.#expansion(instruction);
    const place = { workingDir: config.workingDir ?? '', line, secrets: this.#scope.request.secrets ?? new Set() };
    const mounts = instruction.flags.flatMap(([name, value]): RunMount[] => {
      const mount = name === 'mount' ? parseRunMount(expandWord(value, expansion), place) : undefined;
      return mount === undefined ? [] : [mount];
    });
    const args = commandOf(instruction, config.shell ?? DEFAULT_SHELL);
    const { declared, proxies } = this.#runEnvironment();
    const env = [...declared, ...proxies];
    const keyOf = (files: FilesOf) => this.#filesKey(files, line);
    const mounted = await Promise.all(mounts.flatMap(filesOfMount).map(keyOf));
    const { workingDir, user } = config;
    const times = this.#scope.latestMtime;
    const state = this.#state;
    const parts = {
      command: args,
      'build arguments': declared,
      environment: config.env,
      'working directory': workingDir,
      user,
      mounts,
      'mounted files': mounted,
      times,
    };
    const ingredients = { above: chainOf(state), parts };
    const treeOf = (files: FilesOf) => this.#filesTree(files, line);
    const { step, ...found } = await this.#cached({ instruction, ingredients, span }, () =>
      runStep(this.#scope, { state, args, env, mounts, treeOf, keyOf, line, parent: span }),
    );
    const shown = declared.length === 0 ? args : [`|${declared.length}`, ...declared, ...args];
    return { state: withLayer(state, step, `RUN ${shown.join(' ')}`), ...found };
  }

  /** Declared arguments, where the image's environment does not outrank them; and proxies, which need no declaration. */
  #runEnvironment(): { readonly declared: readonly string[]; readonly proxies: readonly string[] } {
    const environment = environmentOf(this.#state.config.env);
    const declared = [...this.#args].flatMap(([name, value]) =>
      value === undefined || environment(name) !== undefined ? [] : [`${name}=${value}`],
    );
    const proxies = Object.entries(this.#scope.request.buildArgs).filter(([name]) => isPredefinedArg(name) && !this.#args.has(name));
    return { declared, proxies: proxies.map(([name, value]) => `${name}=${value}`) };
  }

  async #filesKey({ from, source }: FilesOf, line: number): Promise<string> {
    if (from !== undefined) return chainOf(await this.#stateOf(from, line));
    const { context } = this.#scope;
    const to = { destination: '/', isDirectory: true, owner: ROOT, line };
    return copyDigest(planCopy(context, findSources(context, [source], line), to));
  }

  async #filesTree({ from, source }: FilesOf, line: number): Promise<{ readonly tree: FileTree; readonly source: string }> {
    if (from === undefined) return { tree: this.#scope.context, source };
    const tree = await this.#scope.treeOf(await this.#stateOf(from, line), `/${source}`);
    return { tree, source: source.split('/').filter(Boolean).at(-1) ?? '' };
  }

  async #copy(instruction: Instruction, span: OpenSpan): Promise<StepResult> {
    const place = { state: this.#state, expansion: this.#expansion(instruction), stateOf: this.#stateOf, mtime: this.#nowSeconds() };
    const { ingredients, members } = await planCopyStep(this.#scope, instruction, place);
    const { step, ...found } = await this.#cached({ instruction, ingredients, span }, async () => this.#ingest(await members()));
    return { state: withLayer(this.#state, step, describe(instruction)), ...found };
  }

  #ingest(members: readonly CopyMember[]) {
    return this.#scope.parts.images.making.ingestLayer(copyLayer(members, this.#scope.latestMtime));
  }

  #nowSeconds(): number {
    return this.#scope.latestMtime ?? Math.floor(Date.now() / 1000);
  }
}

/** The process of a `RUN`. A here-document that is the whole of it is the shell's text; any other is the shell's to read. */
function commandOf({ text, heredocs, line }: Instruction, shell: readonly string[]): readonly string[] {
  const list = readJsonList(text);
  if (list !== undefined) return list;
  if (text === '') throw stepError(line, 'RUN requires a command');
  const [first] = heredocs;
  if (first === undefined) return [...shell, text];
  if (!/^<<-?["']?\w+["']?$/.test(text))
    return [...shell, `${text}\n${heredocs.map(({ content, name }) => `${content}${name}`).join('\n')}\n`];
  if (first.content.startsWith('#!'))
    throw stepError(
      line,
      'a RUN script with its own interpreter (#!) is not available',
      'use COPY <<EOF to make a file of it, and run that',
    );
  return [...shell, first.content];
}

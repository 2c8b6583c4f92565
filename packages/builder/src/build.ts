/**
 * `docker build`: a context and a Dockerfile become an image.
 *
 * Stages that do not need each other run side by side; each is run at most once, and only when the target needs it.
 *
 * Knows: the order of things, progress, and spans.
 * Does not know: what instructions do (stage-run.ts).
 */
import {
  type Dockerfile,
  type Instruction,
  parseDockerfile,
  parseInstruction,
  planStages,
  type Stage,
  splitWords,
} from '@slipway/dockerfile';
import { EngineError } from '@slipway/errors';
import type { BuildStageRequest, BuildStepRequest, BuildStepResponse, SpanContext } from '@slipway/journal';
import { ensurePrivateDirectory, isDiskFull, listNames, removeTree } from '@slipway/kernel';
import { hostPlatform } from '@slipway/oci';
import { BaseImages, requireOwnPlatform } from './base-images.ts';
import type { BuilderParts, BuildRequest } from './build-request.ts';
import { BuildScope } from './build-scope.ts';
import { CacheMounts } from './cache-mounts.ts';
import { describe, describePlan, neededStages } from './describe-plan.ts';
import { atLine, stepError } from './failure.ts';
import { cleanPath, FileTree } from './file-tree.ts';
import { parseDockerignore } from './patterns.ts';
import { isPredefinedArg } from './predefined-args.ts';
import { MOUNT_PREFIX } from './run-binds.ts';
import { StageRun, type StepResult } from './stage-run.ts';
import { emptyState, type StageState } from './stage-state.ts';
import { StepMemory } from './step-memory.ts';

export interface Builder {
  /**
   * Builds one image and gives it its names; nothing but cached layers stays when it fails.
   * @throws EngineError `invalid-argument` / `E_DOCKERFILE`, `E_BUILD_STEP`, `E_BUILD_CONTEXT`; `failed-precondition` / `E_BUILD_COMMAND`; `not-found` / `E_IMAGE_UNKNOWN`
   */
  build(request: BuildRequest, parent?: SpanContext): Promise<{ readonly id: string }>;
  /** Forgets the results of earlier builds. */
  prune(): Promise<{ readonly blobBytes: number }>;
  usage(): { readonly steps: number; readonly blobBytes: number };
}

export function createBuilder(parts: BuilderParts): Builder {
  const { cache } = parts.images.making;
  const lasting = { memory: new StepMemory(), caches: new CacheMounts(`${parts.directory}/cache`) };
  const swept = sweepMounts(parts);
  return {
    prune: () => cache.prune(),
    usage: () => cache.usage(),
    build: (request, parent) => {
      const { names, target, buildArgs } = request;
      const told = { names, target, buildArgs: withoutProxies(buildArgs) };
      const init = { actor: 'engine', name: 'build', protocol: 'function call', parent, request: told } as const;
      return parts.tracer.span(init, (span) =>
        parts.images.making.holding(async () => {
          await swept;
          const built = await buildImage(parts, request, { parent: span, ...lasting }).catch((error: unknown) => {
            throw isDiskFull(error) ? diskFull(error) : error;
          });
          span.note({ response: built });
          return built;
        }),
      );
    },
  };
}

/** Proxies often carry a password. */
function withoutProxies(buildArgs: BuildRequest['buildArgs']): BuildRequest['buildArgs'] {
  return Object.fromEntries(Object.entries(buildArgs).filter(([name]) => !isPredefinedArg(name)));
}

/** Makes the directory, and takes away what a killed daemon left in it. */
async function sweepMounts({ directory, secretsDirectory }: BuilderParts): Promise<void> {
  await ensurePrivateDirectory(directory);
  for (const parent of [directory, secretsDirectory])
    for (const name of await listNames(parent)) if (name.startsWith(MOUNT_PREFIX)) await removeTree(`${parent}/${name}`);
}

async function buildImage(
  parts: BuilderParts,
  request: BuildRequest,
  { parent, ...lasting }: { readonly parent: SpanContext; readonly memory: StepMemory; readonly caches: CacheMounts },
): Promise<{ readonly id: string }> {
  const context = await readContext(parts, request);
  const scope = new BuildScope(parts, request, { context: context.tree, ...lasting });
  try {
    const file = parseDockerfile(await context.dockerfile());
    const stages = planStages(file, request.buildArgs);
    const target = targetOf(stages, request.target);
    await parts.tracer.span({ actor: 'engine', name: 'build.plan', protocol: 'function call', parent }, (span) =>
      span.note({ response: describePlan(stages, target) }),
    );
    const run = new StagesRun(scope, stages, { parent, escapeWith: file.escapeWith, total: countSteps(stages, target) });
    for (const name of declaredArguments(file)) scope.argument(name);
    const { config, layers, history, created, author, platform } = await run.stateOf(target);
    const unused = scope.unusedArguments();
    if (unused.length > 0) request.onOutput(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n`);
    const labels = { ...config.labels, ...request.labels };
    const named = {
      ...platform,
      created,
      ...(author === undefined ? {} : { author }),
      history,
      config: { ...config, labels },
      diffIds: [],
    };
    const image = await parts.images.making.add({ config: named, layers, names: request.names });
    return { id: image.id };
  } finally {
    await scope.close();
  }
}

interface Context {
  readonly tree: FileTree;
  dockerfile(): Promise<string>;
}

/** The whole of it, but for what .dockerignore leaves out; that file and the Dockerfile are read in any case. */
async function readContext(parts: BuilderParts, request: BuildRequest): Promise<Context> {
  const all = await FileTree.read(request.context, { directory: parts.directory });
  const name = cleanPath(request.dockerfile);
  const node = all.get(all.resolve(name) ?? name);
  const ignore = all.get(`${name}.dockerignore`) ?? all.get('.dockerignore');
  const ignored = ignore === undefined ? () => false : parseDockerignore(await all.text(ignore));
  const tree = all.without(ignored);
  return {
    tree,
    dockerfile: async () => {
      if (node !== undefined && node.entry.type === 'file') return tree.text(node);
      throw new EngineError('invalid-argument', `Cannot locate specified Dockerfile: ${name.slice(0, 200)}`, {
        code: 'E_BUILD_CONTEXT',
        op: 'build.context',
        subject: name.slice(0, 200),
      });
    },
  };
}

function targetOf(stages: readonly Stage[], target: string | undefined): Stage {
  const found =
    target === undefined ? stages.at(-1) : stages.find((stage) => stage.name === target.toLowerCase() || String(stage.index) === target);
  if (found !== undefined) return found;
  throw new EngineError('invalid-argument', `target stage ${JSON.stringify(target?.slice(0, 100))} could not be found`, {
    code: 'E_BUILD_STEP',
    op: 'build.target',
  });
}

/** Names of all `ARG`s, also of stages that are not needed. */
function declaredArguments({ instructions, escapeWith }: Dockerfile): readonly string[] {
  return instructions.flatMap(({ keyword, text }) =>
    keyword === 'ARG' ? splitWords(text, escapeWith).map((word) => word.split('=', 1)[0] ?? '') : [],
  );
}

/** Steps of the target and of every stage that it begins with or copies from. */
function countSteps(stages: readonly Stage[], target: Stage): number {
  const counted = new Set<Stage>();
  const count = (stage: Stage): void => {
    if (counted.has(stage)) return;
    counted.add(stage);
    const below = stage.fromStage === undefined ? undefined : stages[stage.fromStage];
    for (const needed of [...(below === undefined ? [] : [below]), ...neededStages(stage, stages)]) count(needed);
  };
  count(target);
  return [...counted].reduce((sum, { instructions }) => sum + 1 + instructions.length, 0);
}

class StagesRun {
  readonly #scope: BuildScope;
  readonly #stages: readonly Stage[];
  readonly #options: { readonly parent: SpanContext; readonly escapeWith: string; readonly total: number };
  readonly #states = new Map<number, Promise<StageState>>();
  readonly #bases: BaseImages;
  #steps = 0;

  constructor(
    scope: BuildScope,
    stages: readonly Stage[],
    options: { readonly parent: SpanContext; readonly escapeWith: string; readonly total: number },
  ) {
    this.#scope = scope;
    this.#stages = stages;
    this.#options = options;
    this.#bases = new BaseImages(scope.parts, scope.request, options.parent);
  }

  stateOf(stage: Stage): Promise<StageState> {
    const known = this.#states.get(stage.index);
    if (known !== undefined) return known;
    const state = this.#run(stage);
    state.catch(() => undefined); // whoever waits for it hears of it
    this.#states.set(stage.index, state);
    return state;
  }

  async #run(stage: Stage): Promise<StageState> {
    const init = { actor: 'engine', name: 'build.stage', protocol: 'function call', parent: this.#options.parent } as const;
    return this.#scope.parts.tracer.span({ ...init, request: toStageRequest(stage) }, async (span) => {
      // What will be copied from is begun at once, so that stages run side by side.
      for (const needed of neededStages(stage, this.#stages)) void this.stateOf(needed);
      const base = await this.#begin(stage);
      const { onBuild, ...config } = base.config;
      const state = { ...base, config };
      const stateOf = (text: string, line: number) => this.#stateNamed(text, stage, line);
      const run = new StageRun(this.#scope, stage, { state, stateOf, escapeWith: this.#options.escapeWith });
      const triggers = (onBuild ?? []).map((text) => parseInstruction(text, stage.fromLine));
      let last: StageState = state;
      for (const instruction of [...triggers, ...stage.instructions]) last = (await this.#step(run, stage, instruction, span)).state;
      return last;
    });
  }

  async #begin(stage: Stage): Promise<StageState> {
    const { from, fromStage, fromLine, name, platform } = stage;
    requireOwnPlatform(platform, fromLine);
    this.#say(`FROM ${from}${name === undefined ? '' : ` AS ${name}`}`);
    const parent = fromStage === undefined ? undefined : this.#stages[fromStage];
    if (parent !== undefined) return this.stateOf(parent);
    if (from === 'scratch') return emptyState(hostPlatform(process.arch), this.#scope.now());
    return this.#imageState(from, fromLine);
  }

  /** A stage before this one by name or number, else an image. */
  async #stateNamed(text: string, stage: Stage, line: number): Promise<StageState> {
    const before = this.#stages.slice(0, stage.index);
    const found = before.findLast(({ name, index }) => name === text.toLowerCase() || String(index) === text);
    if (found !== undefined) return this.stateOf(found);
    if (/^[0-9]+$/.test(text)) throw stepError(line, `there is no stage ${text} before this one`);
    return this.#imageState(text, line);
  }

  async #imageState(reference: string, line: number): Promise<StageState> {
    const image = await this.#bases.find(reference, line);
    const { os, architecture, variant, config, history, created = '1970-01-01T00:00:00Z', author } = image.config;
    const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    return { platform, config, layers: image.layers, history, created, ...(author === undefined ? {} : { author }) };
  }

  async #step(run: StageRun, stage: Stage, instruction: Instruction, parent: SpanContext): Promise<StepResult> {
    const { line } = instruction;
    const shown = describe(instruction);
    this.#say(shown);
    const request: BuildStepRequest = { stage: stage.index, line, instruction: shown.slice(0, 2000) };
    const init = { actor: 'engine', name: 'build.step', protocol: 'function call', parent, request } as const;
    return this.#scope.parts.tracer.span(init, async (span) => {
      try {
        this.#scope.request.signal?.throwIfAborted();
        const result = await run.perform(instruction, span);
        if (result.cached === true) this.#scope.request.onOutput(' ---> Using cache\n');
        span.note({ response: toResponse(result) });
        return result;
      } catch (error) {
        throw atLine(line, error);
      }
    });
  }

  #say(what: string): void {
    const number = ++this.#steps;
    this.#scope.request.onOutput(`Step ${number}/${Math.max(number, this.#options.total)} : ${what}\n`);
  }
}

function diskFull(cause: unknown): EngineError {
  return new EngineError('failed-precondition', 'no space left for the build', {
    code: 'E_DISK_FULL',
    op: 'build',
    hint: 'Remove images or containers that are not needed, or what is kept of earlier builds (docker builder prune).',
    cause,
  });
}

function toStageRequest({ index, name, from }: Stage): BuildStageRequest {
  return { stage: index, from, ...(name === undefined ? {} : { name }) };
}

function toResponse({ state, cached, miss }: StepResult): BuildStepResponse {
  const isEmpty = state.history.at(-1)?.emptyLayer ?? true;
  const layer = isEmpty ? undefined : state.layers.at(-1);
  return {
    ...(cached === undefined ? {} : { cached }),
    ...(miss === undefined ? {} : { miss }),
    ...(layer === undefined ? {} : { layer: { diffId: layer.diffId, digest: layer.descriptor.digest, sizeBytes: layer.descriptor.size } }),
  };
}

/**
 * Builds as graphs: stages, what each needs, steps with their time, size, and what the cache had to say.
 *
 * Knows: the spans of build-spans.ts; stages that never ran are in the plan alone.
 * Does not know: where anything is drawn.
 */
import type { CacheMiss } from './build-spans.ts';
import { isPayload, listIn, numberIn, type Payload, payloadsOf, textIn, textsIn } from './payloads.ts';
import type { Span } from './types.ts';
import type { World, WorldTrace } from './world.ts';

export interface BuildStep {
  /** Absent for a step that has not begun. */
  readonly span?: string;
  readonly line: number;
  readonly text: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly startMs?: number;
  /** Until now for one that runs. */
  readonly durationMs?: number;
  /** Absent for steps that a cache has nothing to do with. */
  readonly cached?: boolean;
  readonly miss?: CacheMiss;
  /** Of the layer, compressed; absent when the step changed no file. */
  readonly sizeBytes?: number;
  readonly digest?: string;
  readonly error?: string;
}

export interface BuildStage {
  readonly stage: number;
  readonly name?: string;
  readonly from: string;
  readonly line?: number;
  /** Stages that it begins with or copies from. */
  readonly needs: readonly number[];
  /** `left-out`: the target does not need it. */
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'left-out';
  readonly isTarget: boolean;
  readonly durationMs?: number;
  readonly error?: string;
  readonly steps: readonly BuildStep[];
}

export interface BuildView {
  readonly id: string;
  readonly names: readonly string[];
  readonly startMs: number;
  readonly endMs?: number;
  /** Until now for one that runs. */
  readonly durationMs: number;
  readonly image?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly line?: number };
  readonly stages: readonly BuildStage[];
  readonly hits: number;
  readonly misses: number;
  /** Of all layers that steps made or found. */
  readonly sizeBytes: number;
}

/** Every build held, newest first. */
export function builds(world: World, nowMs: number = world.atMs): readonly BuildView[] {
  return world.traces
    .flatMap((trace) =>
      trace.spans.filter(({ name, actor }) => name === 'build' && actor === 'engine').map((span) => read(trace, span, nowMs)),
    )
    .sort((a, b) => b.startMs - a.startMs);
}

function read(trace: WorldTrace, span: Span, nowMs: number): BuildView {
  const children = trace.spans.filter(({ parent }) => parent === span.id);
  const plan = children.find(({ name }) => name === 'build.plan');
  const planned = plan ? payloadsOf(plan).response : {};
  const target = numberIn(planned, 'target');
  const running = span.endMs === undefined;
  const stageSpans = children.filter(({ name }) => name === 'build.stage');
  const byNumber = new Map(stageSpans.map((stage) => [numberIn(payloadsOf(stage).request, 'stage') ?? 0, stage]));
  const announced = new Map(listIn(planned, 'stages').map((stage) => [numberIn(stage, 'stage') ?? 0, stage]));
  const numbers = [...new Set([...announced.keys(), ...byNumber.keys()])].sort((a, b) => a - b);
  const needed = target === undefined ? new Set(numbers) : neededFor(target, announced);
  const stages = numbers.map((number) =>
    readStage(trace, {
      number,
      plan: announced.get(number) ?? {},
      span: byNumber.get(number),
      nowMs,
      running,
      needed: needed.has(number),
      target,
    }),
  );
  const steps = stages.flatMap((stage) => stage.steps);
  const image = textIn(payloadsOf(span).response, 'id');
  return {
    id: span.id,
    names: textsIn(payloadsOf(span).request, 'names'),
    startMs: span.startMs,
    ...(span.endMs !== undefined && { endMs: span.endMs }),
    durationMs: lengthOf(span, nowMs),
    ...(image !== undefined && { image }),
    ...(span.error && { error: { ...span.error, ...lineOf(span.error.message) } }),
    stages,
    hits: steps.filter(({ cached }) => cached === true).length,
    misses: steps.filter(({ cached }) => cached === false).length,
    sizeBytes: steps.reduce((sum, step) => sum + (step.sizeBytes ?? 0), 0),
  };
}

/** `line 3: …` is how every refusal of a Dockerfile begins. */
function lineOf(message: string): { readonly line?: number } {
  const [, line] = /^(?:dockerfile )?line (\d+):/i.exec(message) ?? [];
  return line === undefined ? {} : { line: Number(line) };
}

function neededFor(target: number, stages: ReadonlyMap<number, Payload>): ReadonlySet<number> {
  const needed = new Set<number>();
  const visit = (number: number): void => {
    if (needed.has(number)) return;
    needed.add(number);
    for (const below of needsOf(stages.get(number) ?? {}, number)) visit(below);
  };
  visit(target);
  return needed;
}

/** Earlier ones only, so that a forged plan cannot go in circles. */
function needsOf(stage: Payload, number: number): readonly number[] {
  const { needs } = stage;
  return Array.isArray(needs) ? needs.filter((need): need is number => Number.isInteger(need) && need >= 0 && need < number) : [];
}

interface StageParts {
  readonly number: number;
  readonly plan: Payload;
  readonly span: Span | undefined;
  readonly nowMs: number;
  readonly running: boolean;
  readonly needed: boolean;
  readonly target: number | undefined;
}

function readStage(trace: WorldTrace, parts: StageParts): BuildStage {
  const { number, plan, span, nowMs, running, target } = parts;
  const said = span ? payloadsOf(span).request : plan;
  const name = textIn(said, 'name');
  const line = numberIn(plan, 'line');
  return {
    stage: number,
    ...(name !== undefined && { name }),
    from: textIn(said, 'from') ?? '',
    ...(line !== undefined && { line }),
    needs: needsOf(plan, number),
    state: stageState(parts),
    isTarget: number === target,
    ...(span && { durationMs: lengthOf(span, nowMs) }),
    ...(span?.error && { error: span.error.message }),
    steps: readSteps(trace, { span, plan, nowMs, running }),
  };
}

function stageState({ span, needed, running }: StageParts): BuildStage['state'] {
  if (span?.error) return 'failed';
  if (span) return span.endMs === undefined ? 'running' : 'done';
  return needed && running ? 'waiting' : 'left-out';
}

/** Those that began, and then what the plan has after them. */
function readSteps(
  trace: WorldTrace,
  { span, plan, nowMs, running }: Pick<StageParts, 'span' | 'plan' | 'nowMs' | 'running'>,
): readonly BuildStep[] {
  const begun = span
    ? trace.spans.filter(({ name, parent }) => name === 'build.step' && parent === span.id).map((step) => readStep(step, nowMs))
    : [];
  const seen = new Set(begun.map(({ line }) => line));
  const rest = listIn(plan, 'steps').flatMap((step): BuildStep[] => {
    const line = numberIn(step, 'line') ?? 0;
    return seen.has(line) ? [] : [{ line, text: textIn(step, 'text') ?? '', state: 'waiting' }];
  });
  return running || span === undefined || span.error ? [...begun, ...rest] : begun;
}

function readStep(span: Span, nowMs: number): BuildStep {
  const { request, response } = payloadsOf(span);
  const layer = isPayload(response['layer']) ? response['layer'] : {};
  const [sizeBytes, digest] = [numberIn(layer, 'sizeBytes'), textIn(layer, 'digest')];
  const miss = missOf(response['miss']);
  const { cached } = response;
  return {
    span: span.id,
    line: numberIn(request, 'line') ?? 0,
    text: textIn(request, 'instruction') ?? '',
    state: span.error ? 'failed' : span.endMs === undefined ? 'running' : 'done',
    startMs: span.startMs,
    durationMs: lengthOf(span, nowMs),
    ...(typeof cached === 'boolean' && { cached }),
    ...(miss && { miss }),
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(digest !== undefined && { digest }),
    ...(span.error && { error: span.error.message }),
  };
}

const REASONS: readonly CacheMiss['reason'][] = ['unwanted', 'first', 'instruction', 'files', 'settings', 'above', 'gone'];

function missOf(value: unknown): CacheMiss | undefined {
  if (!isPayload(value)) return undefined;
  const reason = REASONS.find((known) => known === value['reason']);
  const detail = textsIn(value, 'detail');
  return reason && { reason, ...(detail.length > 0 && { detail }) };
}

function lengthOf({ startMs, endMs }: Span, nowMs: number): number {
  return Math.max(0, (endMs ?? nowMs) - startMs);
}

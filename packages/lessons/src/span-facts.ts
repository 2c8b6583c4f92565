/**
 * What a check can ask about the engine's work, from spans.
 *
 * Knows: how spans of builds and of anything the engine did are read.
 * Does not know: which lab asks.
 */
import type { BuildStepRequest, BuildStepResponse } from '@slipway/journal';
import type { Span } from '@slipway/journal/types';
import type { CheckView } from './types.ts';

/** Ended spans of this name, oldest first; failed ones are left out. */
export function done(view: CheckView, name: string): readonly Span[] {
  return spansUnder(view, name).filter(({ endMs, error }) => endMs !== undefined && error === undefined);
}

/** Spans of this name as they stand, oldest first; those that go on have no end. */
export function spansUnder(view: CheckView, name: string): readonly Span[] {
  return spansOf(view).filter((span) => span.name === name);
}

/** The newest writing of each span. */
function spansOf(view: CheckView): readonly Span[] {
  const latest = new Map<string, Span>();
  for (const event of view.events) if (event.type === 'span') latest.set(event.span.id, event.span);
  return [...latest.values()];
}

/** A request or response; empty for none, and for one that was too long to be kept whole. */
export function payload<T extends object = Record<string, unknown>>(text: string | undefined): Partial<T> {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Partial<T>) : {};
  } catch {
    return {};
  }
}

export interface SeenStep {
  /** `COPY main.sh /app/`. */
  readonly instruction: string;
  /** Absent: a step that has nothing to do with a cache. */
  readonly cached?: boolean;
  /** Of its layer; absent: it made none. */
  readonly diffId?: string;
}

export interface SeenBuild {
  /** Digest of the image's config. */
  readonly image: string;
  readonly names: readonly string[];
  /** In their order. */
  readonly steps: readonly SeenStep[];
}

/** Builds that came to an image, oldest first. */
export function builds(view: CheckView): readonly SeenBuild[] {
  const stages = done(view, 'build.stage');
  const steps = done(view, 'build.step');
  return done(view, 'build').map((build) => {
    const own = new Set(stages.filter(({ parent }) => parent === build.id).map(({ id }) => id));
    return {
      image: payload<{ id: string }>(build.response).id ?? '',
      names: payload<{ names: readonly string[] }>(build.request).names ?? [],
      steps: steps.filter(({ parent }) => parent !== undefined && own.has(parent)).map(toStep),
    };
  });
}

function toStep({ request, response }: Span): SeenStep {
  const { instruction = '' } = payload<BuildStepRequest>(request);
  const { cached, layer } = payload<BuildStepResponse>(response);
  return { instruction, ...(cached === undefined ? {} : { cached }), ...(layer === undefined ? {} : { diffId: layer.diffId }) };
}

/** The first span that ended with this text in its response; undefined: none did. */
export function firstWith(view: CheckView, text: string): Span | undefined {
  return spansOf(view)
    .filter(({ response = '', endMs, actor }) => endMs !== undefined && actor !== 'api' && response.includes(text))
    .sort((a, b) => (a.endMs ?? 0) - (b.endMs ?? 0))[0];
}

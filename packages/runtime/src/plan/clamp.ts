/**
 * Which values of a document were chosen by an engine rather than asked for by somebody.
 *
 * Knows: the annotation that says so.
 * Does not know: how a value is clamped; each part of the planner does that for its own.
 */
import type { RuntimeSpec } from '@slipway/oci';

/**
 * Comma-separated: values of these fields are defaults. Where the host withholds the right they need, they are clamped to what
 * is possible with a warning; without the annotation the same value is a request, and fails naming the right.
 */
export const CLAMP_ANNOTATION = 'dev.slipway.defaults';

export type Clampable = 'rlimits' | 'oomScoreAdj';

/** True when the document says that this field holds a default. */
export function clampsByDefault(spec: RuntimeSpec, field: Clampable): boolean {
  const list = spec.annotations?.[CLAMP_ANNOTATION]?.split(',') ?? [];
  return list.some((entry) => entry.trim() === field);
}

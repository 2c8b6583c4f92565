/**
 * What a stage has become so far: a configuration and a stack of layers. Replaced whole by every step.
 *
 * Knows: how a step changes it, and what names it for the cache.
 * Does not know: how layers are made.
 */
import { createHash } from 'node:crypto';
import type { Instruction } from '@slipway/dockerfile';
import type { NewLayer } from '@slipway/images';
import { chainIds, type ExecutionDefaults, type HistoryEntry, type Platform } from '@slipway/oci';
import { describe } from './describe-plan.ts';
import { stepError } from './failure.ts';

export interface StageState {
  readonly platform: Platform;
  readonly config: ExecutionDefaults;
  readonly layers: readonly NewLayer[];
  readonly history: readonly HistoryEntry[];
  /** RFC 3339; of the last step that made something. */
  readonly created: string;
  readonly author?: string;
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What `FROM scratch` begins with: as docker has it, nothing but the place where programs are looked for. */
export function emptyState(platform: Platform, created: string): StageState {
  return { platform, config: { exposedPorts: [], env: [DEFAULT_PATH], volumes: [], labels: {} }, layers: [], history: [], created };
}

/** Name of the topmost snapshot; `''` for none. The same for the same files, however they came to be. */
export function chainOf({ layers }: Pick<StageState, 'layers'>): string {
  return chainIds(layers.map(({ diffId }) => diffId)).at(-1) ?? '';
}

export function withConfig(state: StageState, config: ExecutionDefaults, createdBy: string): StageState {
  return { ...state, config, history: [...state.history, { created: state.created, createdBy, emptyLayer: true }] };
}

/** `MAINTAINER` */
export function withAuthor(state: StageState, instruction: Instruction): StageState {
  if (instruction.text === '') throw stepError(instruction.line, 'MAINTAINER requires exactly one argument');
  return { ...withConfig(state, state.config, describe(instruction)), author: instruction.text };
}

export function withLayer(state: StageState, made: { readonly layer?: NewLayer; readonly created: string }, createdBy: string): StageState {
  const { layer, created } = made;
  return {
    ...state,
    created,
    layers: layer === undefined ? state.layers : [...state.layers, layer],
    history: [...state.history, { created, createdBy, emptyLayer: layer === undefined }],
  };
}

/** A cache key: a digest of everything that decides what a step makes. */
export function cacheKey(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

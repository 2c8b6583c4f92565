/**
 * Working containers: containers of the engine that never run, each a root file system and the config of an image to be.
 *
 * Knows: how they are told from others, and where their config is kept (with the engine, beside the container).
 * Does not know: what any command makes of one.
 */

import type { Context } from '../docker/commands/context.ts';
import { DaemonError } from '../docker/daemon.ts';
import { UsageError } from '../flags.ts';

/** On a working container: the name of the image that it began with; empty for none. */
export const BASE_LABEL = 'io.slipway.working-container';

export interface WorkingContainer {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  /** As the container was asked for; empty: from scratch. */
  readonly base: string;
}

/** The image config's JSON, as the specification has it. */
export interface ConfigDocument {
  created?: string;
  author?: string;
  os: string;
  architecture: string;
  variant?: string;
  config: ConfigSection;
  history: HistoryDocument[];
  rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
}

export interface HistoryDocument {
  created?: string;
  created_by?: string;
  comment?: string;
  empty_layer?: boolean;
}

export interface ConfigSection {
  User?: string;
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, object>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  Healthcheck?: { Test: string[]; Interval?: number; Timeout?: number; StartPeriod?: number; Retries?: number };
  OnBuild?: string[];
  Shell?: string[];
}

interface Listed {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly ImageID: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Oldest first, as buildah lists them. */
export async function listWorking({ daemon }: Context): Promise<readonly WorkingContainer[]> {
  const filters = JSON.stringify({ label: [BASE_LABEL] });
  const found = await daemon.call<readonly Listed[]>('GET', `/containers/json?all=1&filters=${encodeURIComponent(filters)}`);
  return found
    .filter(({ Labels }) => Labels[BASE_LABEL] !== undefined)
    .map(({ Id, Names, ImageID, Labels }) => ({
      id: Id,
      name: (Names[0] ?? '').replace(/^\//, ''),
      imageId: ImageID,
      base: Labels[BASE_LABEL] ?? '',
    }))
    .toReversed();
}

/** By name, id or the beginning of one. @throws UsageError */
export async function getWorking(context: Context, reference: string | undefined): Promise<WorkingContainer> {
  if (reference === undefined) throw new UsageError('container ID must be specified');
  const all = await listWorking(context);
  const exact = all.find(({ id, name }) => id === reference || name === reference);
  const matches = all.filter(({ id }) => /^[0-9a-f]{2,}$/.test(reference) && id.startsWith(reference));
  const found = exact ?? (matches.length === 1 ? matches[0] : undefined);
  if (found === undefined) throw new UsageError(`reading build container ${JSON.stringify(reference)}: container not known`);
  return found;
}

export function readConfig({ daemon }: Context, { id }: Pick<WorkingContainer, 'id'>): Promise<ConfigDocument> {
  return daemon.call<ConfigDocument>('GET', `/containers/${id}/image-config`);
}

export async function writeConfig({ daemon }: Context, { id }: Pick<WorkingContainer, 'id'>, config: ConfigDocument): Promise<void> {
  await daemon.call('PUT', `/containers/${id}/image-config`, config);
}

/** The step that commit is to finish: the last one of history, dated with nothing. */
export function pendingStep({ history }: ConfigDocument): HistoryDocument | undefined {
  const last = history.at(-1);
  return last?.created === '' ? last : undefined;
}

/** Undefined for what the engine does not have. */
export async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof DaemonError && error.status === 404) return undefined;
    throw error;
  });
}

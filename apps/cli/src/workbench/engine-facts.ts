/**
 * What the machine's engine has: its images, its running containers and their documents.
 *
 * Knows: the engine's socket and where its runtime keeps state, which is only read.
 * Does not know: births; the workbench's own containers are not the engine's.
 */

import { createLauncher } from '@slipway/launcher';
import { type ExecutionDefaults, formatSpecJson, isObject } from '@slipway/oci';
import { createRuntime } from '@slipway/runtime';
import { DaemonError, openDaemon, UnreachableError } from '../docker/daemon.ts';
import { unusable } from './failures.ts';

const SOCKET = '/run/docker.sock';
const ENGINE_RUNTIME = '/run/slipway/runtime';

export interface ImageFacts {
  /** Of its layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
}

export interface EngineImage extends Pick<ImageFacts, 'diffIds'> {
  /** Digest of its config. */
  readonly id: string;
  /** `busybox@sha256:…`. */
  readonly repoDigests: readonly string[];
}

interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  readonly image: string;
}

/** Names of the images, as `docker images` shows them. */
export async function listImages(): Promise<string[]> {
  const images = await ask<readonly { readonly RepoTags?: readonly string[] | null }[]>('/images/json');
  return images.flatMap(({ RepoTags }) => RepoTags ?? []).sort();
}

/** As {@link listImages}; of one without a name its id. */
export async function listNamesAndIds(): Promise<string[]> {
  const images = await ask<readonly { readonly Id: string; readonly RepoTags?: readonly string[] | null }[]>('/images/json');
  return images.flatMap(({ Id, RepoTags }) => (RepoTags?.length ? RepoTags : [Id])).sort();
}

/** Undefined when the engine does not have it. @throws `failed-precondition` / `E_WORKBENCH_ENGINE` */
export async function findImage(image: string): Promise<EngineImage | undefined> {
  const answer = await askIfThere<ImageAnswer>(`/images/${encodeURIComponent(image)}/json`);
  return answer && { id: answer.Id ?? '', repoDigests: answer.RepoDigests ?? [], diffIds: answer.RootFS?.Layers ?? [] };
}

/** @throws `failed-precondition` / `E_WORKBENCH_IMAGE` */
export async function inspectImage(image: string): Promise<ImageFacts> {
  const answer = await ask<ImageAnswer>(`/images/${encodeURIComponent(image)}/json`);
  const config = answer.Config ?? {};
  return {
    diffIds: answer.RootFS?.Layers ?? [],
    args: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    env: config.Env ?? [],
    cwd: config.WorkingDir || '/',
  };
}

/** What containers of the image do unless told otherwise. @throws `failed-precondition` / `E_WORKBENCH_ENGINE` */
export async function imageDefaults(image: string): Promise<ExecutionDefaults> {
  const { Config: config = {} } = await ask<ImageAnswer>(`/images/${encodeURIComponent(image)}/json`);
  return {
    exposedPorts: [],
    env: config.Env ?? [],
    volumes: [],
    labels: config.Labels ?? {},
    ...(config.User ? { user: config.User } : {}),
    ...(config.Entrypoint ? { entrypoint: config.Entrypoint } : {}),
    ...(config.Cmd ? { cmd: config.Cmd } : {}),
    ...(config.WorkingDir ? { workingDir: config.WorkingDir } : {}),
  };
}

interface ImageAnswer {
  readonly Id?: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly RootFS?: { readonly Layers?: readonly string[] };
  readonly Config?: {
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly User?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
}

export async function listContainers(): Promise<ContainerFacts[]> {
  const found =
    await ask<readonly { readonly Id: string; readonly Names: readonly string[]; readonly Image: string }[]>('/containers/json');
  return found.map(({ Id, Names, Image }) => ({ id: Id, name: Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12), image: Image }));
}

/** The document that a container of the engine runs by. */
export async function configOfContainer(container: string): Promise<{ readonly config: string; readonly image: string }> {
  const answer = await ask<{ readonly Id: string; readonly Config: { readonly Image: string } }>(
    `/containers/${encodeURIComponent(container)}/json`,
  );
  const spec = await createRuntime({ root: ENGINE_RUNTIME, launcher: createLauncher() }).spec(answer.Id);
  return { config: formatSpecJson(spec, '  '), image: answer.Config.Image };
}

async function ask<T>(path: string): Promise<T> {
  try {
    return await call<T>(path);
  } catch (error) {
    throw refused(error);
  }
}

/** As {@link ask}; undefined when the engine has no such thing. */
async function askIfThere<T>(path: string): Promise<T | undefined> {
  try {
    return await call<T>(path);
  } catch (error) {
    if (error instanceof DaemonError && error.status === 404) return undefined;
    throw refused(error);
  }
}

async function call<T>(path: string): Promise<T> {
  const daemon = openDaemon({ socketPath: SOCKET, command: 'workbench', startedMs: Number(process.hrtime.bigint()) / 1e6 });
  const answer = await daemon.call<T>('GET', path);
  if (isObject(answer) || Array.isArray(answer)) return answer;
  throw unusable('the engine answered with nothing', 'E_WORKBENCH_ENGINE');
}

function refused(error: unknown): unknown {
  if (error instanceof UnreachableError)
    return unusable(
      'the engine does not answer',
      'E_WORKBENCH_ENGINE',
      'wait, the machine starts it again; tail /var/log/slipwayd.log tells why it ended',
    );
  if (!(error instanceof DaemonError)) return error;
  return unusable(error.message, 'E_WORKBENCH_ENGINE', 'docker ps and docker images show what there is');
}

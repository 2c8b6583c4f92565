/**
 * The engine: every operation, by the references people type.
 *
 * Knows: which file does what.
 * Does not know: any protocol. Each one declares what it needs of this, and translates.
 */
import type { Readable } from 'node:stream';
import type { PullOptions, PullReport, PushOptions, PushReport, RemoteImage } from '@slipway/images';
import type { JournalBody, SpanContext, Tracer } from '@slipway/journal';
import { ensurePrivateDirectory } from '@slipway/kernel';
import type { PartStat } from '@slipway/layers';
import type { ImageConfig } from '@slipway/oci';
import type { Credentials } from '@slipway/registry-client';
import type { Runtime } from '@slipway/runtime';
import { attachContainer } from './attach.ts';
import { Attachment, type AttachOptions } from './attachment.ts';
import { type CommitOptions, commitContainer, containerImageConfig, setContainerImageConfig } from './commit.ts';
import type { ContainerRecord, ContainerRequest, ExitFact, ResourceRequest } from './container.ts';
import {
  type ContainerChange,
  containerChanges,
  exportContainer,
  readContainerPath,
  statContainerPath,
  type WritePathOptions,
  writeContainerPath,
} from './container-files.ts';
import { openContainerTable } from './container-table.ts';
import { createContainer } from './create.ts';
import { type DiskUsage, readDiskUsage } from './disk-usage.ts';
import { watchDisk } from './disk-watcher.ts';
import { createEventLog, type EngineEvent } from './events.ts';
import { createExec, type ExecSize, startExec } from './exec.ts';
import { createExecTable, type ExecConfig, type ExecRecord } from './exec-table.ts';
import { type ImportOptions, importImage } from './image-import.ts';
import { listImages, loadImages, pruneImages, removeImage, saveImages } from './image-operations.ts';
import { lookAtRegistry, pullImage, pushImage } from './image-transfer.ts';
import { watchLayers } from './layers-watcher.ts';
import type { LiveContainer } from './live-container.ts';
import type { LogLine } from './log-lines.ts';
import { type LogOptions, readLogs } from './logs.ts';
import { pauseContainer, renameContainer, resizeContainer, unpauseContainer } from './pause.ts';
import type { EngineContext, EngineImage, EnginePaths, ImagePort, LoadedImage, RuntimeNames } from './ports.ts';
import { recoverContainers } from './recover.ts';
import { type RemoveOptions, removeContainer } from './remove.ts';
import { restartContainer } from './restart.ts';
import { startContainer } from './start.ts';
import { type ContainerStats, readStats } from './stats.ts';
import { killContainer, type StopOptions, stopContainer } from './stop.ts';
import { type ProcessTable, topContainer } from './top.ts';
import { updateContainer } from './update.ts';
import { type WaitCondition, waitContainer } from './wait.ts';

export interface EngineOptions {
  readonly runtime: Runtime;
  readonly images: ImagePort;
  readonly tracer: Tracer;
  readonly paths: EnginePaths;
  readonly emit: (body: JournalBody, atMs?: number) => void;
  readonly warn: (message: string) => void;
  /** Write what layers hold and what the disk does to the journal; off when nobody reads it. */
  readonly watchLayers: boolean;
  readonly runtimes: RuntimeNames;
}

/** One running process beside a container's first. */
export type ExecView = Pick<ExecRecord, 'id' | 'container' | 'config' | 'status' | 'pid' | 'exitCode'>;

/** `ref` is an id, a name or an unambiguous id prefix; an unknown one is `not-found`. `parent` is the caller's span. */
export interface Engine {
  create(request: ContainerRequest, parent?: SpanContext): Promise<{ readonly id: string }>;
  start(ref: string, parent?: SpanContext): Promise<boolean>;
  stop(ref: string, options?: StopOptions, parent?: SpanContext): Promise<boolean>;
  restart(ref: string, options?: StopOptions, parent?: SpanContext): Promise<void>;
  kill(ref: string, signal: string | undefined, parent?: SpanContext): Promise<void>;
  pause(ref: string, parent?: SpanContext): Promise<void>;
  unpause(ref: string, parent?: SpanContext): Promise<void>;
  remove(ref: string, options: RemoveOptions, parent?: SpanContext): Promise<void>;
  /** Other limits from now on; those left out stay, -1 lifts one. */
  update(ref: string, resources: ResourceRequest, parent?: SpanContext): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  resize(ref: string, rows: number, columns: number): void;
  /** Registered at the call, and forgotten with `signal`: it never resolves then. */
  wait(ref: string, condition: WaitCondition, signal?: AbortSignal): Promise<ExitFact>;
  inspect(ref: string): ContainerRecord;
  /** Newest first. */
  list(): readonly ContainerRecord[];
  attach(ref: string, options: AttachOptions): Promise<Attachment>;
  logs(ref: string, options: LogOptions): AsyncGenerator<LogLine>;
  top(ref: string, psArgs: string): Promise<ProcessTable>;
  stats(ref: string): Promise<ContainerStats>;
  createExec(ref: string, config: ExecConfig): { readonly id: string };
  /** Starts it; with `attach` options the returned attachment is connected. */
  startExec(
    id: string,
    options: { readonly attach?: AttachOptions; readonly size?: ExecSize },
    parent?: SpanContext,
  ): Promise<Attachment | undefined>;
  inspectExec(id: string): ExecView;
  execsOf(ref: string): readonly string[];
  resizeExec(id: string, rows: number, columns: number): void;
  images(): Promise<readonly EngineImage[]>;
  findImage(reference: string): Promise<EngineImage | undefined>;
  loadImages(archive: AsyncIterable<Uint8Array>, parent?: SpanContext): Promise<readonly LoadedImage[]>;
  removeImage(
    reference: string,
    options: { readonly force: boolean },
  ): Promise<{ readonly untagged: readonly string[]; readonly deleted: readonly string[] }>;
  tagImage(reference: string, name: string): Promise<void>;
  /** From its registry, or a mirror. @throws as ImageStore.pull */
  pullImage(reference: string, options: PullOptions, parent?: SpanContext): Promise<PullReport>;
  /** To the registry that its name says. @throws as ImageStore.push */
  pushImage(name: string, options: PushOptions, parent?: SpanContext): Promise<PushReport>;
  lookAtRegistry(reference: string, options: Pick<PullOptions, 'credentials' | 'signal'>, parent?: SpanContext): Promise<RemoteImage>;
  /** Of a repository in its registry. */
  remoteTags(name: string, options: Pick<PullOptions, 'credentials' | 'signal'>): Promise<readonly string[]>;
  /** @throws permission-denied / E_REGISTRY_DENIED */
  logIn(domain: string, credentials: Credentials): Promise<void>;
  saveImages(references: readonly string[]): Promise<AsyncIterable<Uint8Array>>;
  importImage(archive: AsyncIterable<Uint8Array>, options: ImportOptions, parent?: SpanContext): Promise<{ readonly id: string }>;
  pruneImages(wanted: (image: EngineImage) => boolean): ReturnType<typeof pruneImages>;
  commit(ref: string, options: CommitOptions, parent?: SpanContext): Promise<{ readonly id: string }>;
  /** The configuration that `commit` gives its image. @throws not-found / E_IMAGE_UNKNOWN */
  imageConfig(ref: string): Promise<ImageConfig>;
  /** From now on it is this one, whole; durable. */
  setImageConfig(ref: string, config: ImageConfig): Promise<void>;
  export(ref: string): Promise<Readable>;
  changes(ref: string): Promise<readonly ContainerChange[]>;
  statPath(ref: string, path: string): Promise<PartStat>;
  readPath(ref: string, path: string): Promise<{ readonly stat: PartStat; readonly tar: Readable }>;
  writePath(
    ref: string,
    to: { readonly path: string; readonly archive: AsyncIterable<Uint8Array> } & WritePathOptions,
    parent?: SpanContext,
  ): Promise<void>;
  diskUsage(): Promise<DiskUsage>;
  pastEvents(): readonly EngineEvent[];
  onEvent(listener: (event: EngineEvent) => void): () => void;
  /** Lets go of everything without ending any container. */
  close(): void;
}

/** Opens the engine on its directories and finds the containers that are there. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { paths } = options;
  await ensurePrivateDirectory(paths.root, 0o711);
  await ensurePrivateDirectory(paths.state);
  await ensurePrivateDirectory(`${paths.state}/shims`);
  await ensurePrivateDirectory(`${paths.state}/execs`);
  const watcher = options.watchLayers ? watchLayers(() => context) : undefined;
  const disk = options.watchLayers ? watchDisk(() => context) : undefined;
  const context: EngineContext = {
    ...options,
    containers: await openContainerTable(paths.root, options.warn),
    execs: createExecTable(),
    events: createEventLog(),
    layersChanged: (id) => watcher?.changed(id),
  };
  await recoverContainers(context);
  return {
    ...containerVerbs(context),
    ...streamVerbs(context),
    ...imageVerbs(context),
    ...fileVerbs(context),
    close: () =>
      close(context, () => {
        watcher?.stop();
        disk?.stop();
      }),
  };
}

type OtherVerbs = ReturnType<typeof streamVerbs> & ReturnType<typeof imageVerbs> & ReturnType<typeof fileVerbs>;
type ContainerVerbs = Omit<Engine, keyof OtherVerbs | 'close'>;

function containerVerbs(engine: EngineContext): ContainerVerbs {
  const get = (ref: string): LiveContainer => engine.containers.get(ref);
  return {
    create: (request, parent) => createContainer(engine, request, parent),
    start: async (ref, parent) => startContainer(engine, get(ref), parent),
    stop: async (ref, options, parent) => stopContainer(engine, get(ref), options, parent),
    restart: async (ref, options, parent) => restartContainer(engine, get(ref), options, parent),
    kill: async (ref, signal, parent) => killContainer(engine, get(ref), signal, parent),
    pause: async (ref, parent) => pauseContainer(engine, get(ref), parent),
    unpause: async (ref, parent) => unpauseContainer(engine, get(ref), parent),
    remove: async (ref, options, parent) => removeContainer(engine, get(ref), options, parent),
    update: async (ref, resources, parent) => updateContainer(engine, get(ref), resources, parent),
    rename: async (ref, name) => renameContainer(engine, get(ref), name),
    resize: (ref, rows, columns) => resizeContainer(get(ref), rows, columns),
    wait: async (ref, condition, signal) => waitContainer(get(ref), condition, signal),
    inspect: (ref) => get(ref).record,
    list: () =>
      engine.containers
        .all()
        .map(({ record }) => record)
        .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)),
    top: async (ref, psArgs) => topContainer(engine, get(ref), psArgs),
    stats: async (ref) => readStats(get(ref)),
  };
}

function streamVerbs(engine: EngineContext) {
  return {
    attach: async (ref: string, options: AttachOptions) => attachContainer(engine, engine.containers.get(ref), options),
    logs: (ref: string, options: LogOptions) => readLogs(engine, engine.containers.get(ref), options),
    createExec: (ref: string, config: ExecConfig) => createExec(engine, engine.containers.get(ref), config),
    startExec: async (id: string, options: { readonly attach?: AttachOptions; readonly size?: ExecSize }, parent?: SpanContext) => {
      const { attach, size } = options;
      const attachment = attach === undefined ? undefined : new Attachment(attach);
      const given = { ...(attachment === undefined ? {} : { attachment }), ...(size === undefined ? {} : { size }) };
      await startExec(engine, engine.execs.get(id), given, parent);
      return attachment;
    },
    inspectExec: (id: string): ExecView => engine.execs.get(id),
    execsOf: (ref: string) => {
      const records = engine.execs.ofContainer(engine.containers.get(ref).id);
      return records.filter(({ status }) => status !== 'exited').map(({ id }) => id);
    },
    resizeExec: (id: string, rows: number, columns: number) => engine.execs.get(id).supervisor?.resize(rows, columns),
    pastEvents: () => engine.events.past(),
    onEvent: (listener: (event: EngineEvent) => void) => engine.events.subscribe(listener),
  };
}

function imageVerbs(engine: EngineContext) {
  return {
    images: () => listImages(engine),
    findImage: (reference: string) => engine.images.find(reference),
    loadImages: (archive: AsyncIterable<Uint8Array>, parent?: SpanContext) => loadImages(engine, archive, parent),
    tagImage: (reference: string, name: string) => engine.images.tag(reference, name),
    pullImage: (reference: string, options: PullOptions, parent?: SpanContext) => pullImage(engine, reference, options, parent),
    pushImage: (name: string, options: PushOptions, parent?: SpanContext) => pushImage(engine, name, options, parent),
    lookAtRegistry: (reference: string, options: Pick<PullOptions, 'credentials' | 'signal'>, parent?: SpanContext) =>
      lookAtRegistry(engine, reference, options, parent),
    remoteTags: (name: string, options: Pick<PullOptions, 'credentials' | 'signal'>) => engine.images.registries.remoteTags(name, options),
    logIn: (domain: string, credentials: Credentials) => engine.images.registries.logIn(domain, credentials),
    removeImage: (reference: string, options: { readonly force: boolean }) => removeImage(engine, reference, options),
    saveImages: (references: readonly string[]) => saveImages(engine, references),
    importImage: (archive: AsyncIterable<Uint8Array>, options: ImportOptions, parent?: SpanContext) =>
      importImage(engine, archive, options, parent),
    pruneImages: (wanted: (image: EngineImage) => boolean) => pruneImages(engine, wanted),
    diskUsage: () => readDiskUsage(engine),
  };
}

function fileVerbs(engine: EngineContext) {
  const get = (ref: string): LiveContainer => engine.containers.get(ref);
  return {
    commit: async (ref: string, options: CommitOptions, parent?: SpanContext) => commitContainer(engine, get(ref), options, parent),
    imageConfig: async (ref: string) => containerImageConfig(engine, get(ref)),
    setImageConfig: async (ref: string, config: ImageConfig) => setContainerImageConfig(engine, get(ref), config),
    export: async (ref: string) => exportContainer(engine, get(ref)),
    changes: async (ref: string) => containerChanges(engine, get(ref)),
    statPath: async (ref: string, path: string) => statContainerPath(engine, get(ref), path),
    readPath: async (ref: string, path: string) => readContainerPath(engine, get(ref), path),
    writePath: async (ref: string, to: Parameters<typeof writeContainerPath>[2], parent?: SpanContext) =>
      writeContainerPath(engine, get(ref), to, parent),
  };
}

function close(engine: EngineContext, stopWatcher: () => void): void {
  stopWatcher();
  for (const container of engine.containers.all()) {
    for (const attachment of container.pendingAttachments) attachment.close();
  }
}

export { Attachment, type AttachOptions } from './attachment.ts';
export type {
  BindRequest,
  ContainerRecord,
  ContainerRequest,
  ContainerStatus,
  ExitFact,
  HostRequest,
  LowerLayer,
  NetworkMode,
  ResolvedProcess,
  ResourceRequest,
  Rootfs,
} from './container.ts';
export { type Engine, type EngineOptions, type ExecView, openEngine } from './engine.ts';
export type { EngineEvent } from './events.ts';
export type { ExecSize } from './exec.ts';
export type { ExecConfig } from './exec-table.ts';
export { createImagePort } from './image-port.ts';
export { readInLayers } from './layered-root.ts';
export { traceLazyLayers } from './lazy-spans.ts';
export type { LogLine } from './log-lines.ts';
export type { LogOptions } from './logs.ts';
export type { EngineImage, EnginePaths, ImageMaking, ImagePort, LoadedImage } from './ports.ts';
export type { RemoveOptions } from './remove.ts';
export { type AccountFiles, type ResolvedUser, resolveUser } from './resolve-user.ts';
export type { ContainerStats } from './stats.ts';
export type { StopOptions } from './stop.ts';
export type { ProcessTable } from './top.ts';
export type { WaitCondition } from './wait.ts';

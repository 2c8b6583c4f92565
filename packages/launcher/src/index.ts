export { type GivenDescriptors, GivenProcess } from './given-launcher.ts';
export {
  type Launched,
  type Launcher,
  type LaunchFailure,
  type LaunchOptions,
  type PreparedLauncher,
  ShimFiles,
  type Supervision,
} from './launcher.ts';
export { createLauncher, type NativeLauncherOptions } from './native-launcher.ts';
export { operationSource } from './operation-source.ts';
export type {
  BindOperation,
  HookProgram,
  IdMapping,
  MountAttributes,
  MountOperation,
  NamespaceKind,
  Operation,
  OperationBody,
  OperationOrigin,
  OperationRecord,
  Phase,
  Plan,
  Propagation,
  RemountOperation,
} from './operations.ts';
export { rehearsalOf } from './rehearsal.ts';
export {
  type AttachOptions,
  attachShim,
  readExit,
  readPid,
  type ShimConnection,
  type ShimExit,
  type ShimPid,
  type ShimStream,
} from './shim-client.ts';

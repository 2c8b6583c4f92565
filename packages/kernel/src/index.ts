export { ConfinedDirectory, confinedFile, type EntryStat, type EntryTimes, isErrno } from './confined.ts';
export { type ControlFiles, type EntryKind, hostControlFiles, writeControlFileAside } from './control-files.ts';
export { copyTree, type TreeUsage, treeUsage } from './copy-tree.ts';
export {
  bindDirectory,
  emptyDirectory,
  isCovered,
  openUncovered,
  type UncoveredDirectory,
  uncover,
} from './covered-directory.ts';
export { DbusConnection, DbusError } from './dbus/connection.ts';
export type { DbusValue, DbusVariant } from './dbus/values.ts';
export { type DetachedProcess, startDetached } from './detached-worker.ts';
export { isDiskFull } from './disk-full.ts';
export { FAIL_POINTS, type FailPoint, failPoint } from './fail-point.ts';
export { tryLockFile } from './file-lock.ts';
export {
  type AtomicWriteOptions,
  ensureDirectory,
  findText,
  makeDirectory,
  READ_MAX_BYTES,
  type ReadOptions,
  readText,
  removeFile,
  writeFileAtomic,
  writeNewFile,
} from './files.ts';
export { filterThrough } from './filter-program.ts';
export { FuseDevice, hasFuse } from './fuse-device.ts';
export { type GrowingFile, openGrowingFile } from './growing-file.ts';
export { type HeldProcess, holdProcess } from './held-process.ts';
export { type HookProgramRequest, type HookProgramResult, runHookProgram } from './hook-program.ts';
export {
  describeMissing,
  detectHostFeatures,
  type HostFeature,
  type HostFeatureName,
  type HostFeatures,
} from './host-features.ts';
export { diskSpace, resolvePath } from './host-paths.ts';
export { listening } from './listening.ts';
export { makeNodeAt, type NodeKind } from './make-node.ts';
export { errnoError, MemoryControlFiles, type MemoryControlOptions } from './memory-control-files.ts';
export { delay, monotonicMs } from './monotonic.ts';
export { type MountEntry, parseMountinfo, readMounts } from './mountinfo.ts';
export { findNamespaces, NAMESPACE_FILES, type NamespaceFile, type NamespaceIds } from './namespaces.ts';
export { OpaqueDirectories } from './opaque-directories.ts';
export { type OwnRights, readOwnRights, signalSameProcess } from './own-rights.ts';
export {
  type CgroupMembership,
  findCgroupMemberships,
  findCommandLine,
  findProcStat,
  findProcStatus,
  isSameProcess,
  listPids,
  type ProcStat,
  type ProcStatus,
  parseCgroupMemberships,
  parseProcStat,
  parseProcStatus,
  readBootId,
} from './proc.ts';
export { type ProgramRequest, type ProgramResult, runProgram } from './program.ts';
export { readRegularFile } from './read-regular-file.ts';
export { removeTree } from './remove-tree.ts';
export { existsConfined, scanConfined, withConfined } from './scan-confined.ts';
export { type ScannedEntry, type ScannedTree, scanUpper } from './scan-upper.ts';
export { hasXattrAt, setXattrAt } from './set-xattr.ts';
export { signalProcess } from './signal-process.ts';
export { createSparseFile, type SparseFile } from './sparse-file.ts';
export { claimDirectory, listDirectories, type Release, releaseFifo } from './state-directory.ts';
export {
  type AppendHandle,
  ensurePrivateDirectory,
  linkStored,
  listNames,
  openDirectoryHandle,
  openForAppend,
  openForRead,
  type ReadHandle,
  removeStoredFile,
  renameDurably,
  type StoredFileInfo,
  setMode,
  statStored,
  syncDirectory,
} from './stored-files.ts';
export {
  ensureTracefs,
  findTracefs,
  openTracePages,
  releaseTracefs,
  type TracefsMount,
  type TracePages,
} from './tracefs.ts';
export { inTransaction } from './transaction.ts';
export { treeSizes } from './tree-sizes.ts';
export { isServed } from './unix-socket.ts';
export { inUserNamespace } from './user-namespace.ts';
export { copyDirectoryMetadata, type FileSystemSync, openFileSystemSync, syncFileSystem } from './whole-filesystem.ts';
export { workerDescriptor } from './worker-descriptor.ts';
export { openWorkerSession, runWorker, type WorkerExit, type WorkerRequest, type WorkerSession } from './worker-process.ts';

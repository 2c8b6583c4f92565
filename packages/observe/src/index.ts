export { type CgroupPicture, type CgroupSampler, createCgroupSampler, MAX_CGROUPS } from './cgroup-sampler.ts';
export { containerOfCgroup } from './container-id.ts';
export { createKernelFeed, type FeedListener, type FeedMember, type KernelFeed } from './kernel-feed.ts';
export type { MachineTarget } from './machine-target.ts';
export { createMachineObserver, type MachineObserver, type MachineObserverOptions } from './observer.ts';
export { createProcessSampler, MAX_PROCESSES, type ProcessPicture, type ProcessSampler } from './process-sampler.ts';
export {
  type KernelRecorder,
  openRecorder,
  type RecorderOptions,
  type TraceBatch,
  type TracefsAvailability,
  tracefsAvailable,
} from './recorder.ts';
export { openTape, type ProgramTape, type Tape } from './tape.ts';
export type { TraceRecord } from './trace-records.ts';

export {
  type KernelRecorder,
  openRecorder,
  type RecorderOptions,
  type TraceBatch,
  type TracefsAvailability,
  tracefsAvailable,
} from './recorder.ts';
export type { TraceRecord } from './trace-records.ts';

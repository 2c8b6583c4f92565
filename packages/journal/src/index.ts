export type { BuildPlanResponse, BuildStageRequest, BuildStepRequest, BuildStepResponse, CacheMiss } from './build-spans.ts';
export { type JournalWriter, type LoadedJournal, loadJournal, saveJournal } from './file.ts';
export { createIntake, type Intake, type IntakeOptions } from './intake.ts';
export { keyframeKey } from './keyframes.ts';
export { createLineSplitter, type LineSplitter } from './lines.ts';
export { FILE_LINE_LIMIT, formatEvent, LINE_LIMIT, type MachineLine, type Parsed, parseEvent, parseMachineLine } from './ndjson.ts';
export { boundText, PAYLOAD_LIMIT, REDACTED, redactText, redactValue, showPayload } from './redact.ts';
export { reduce, reduceAll } from './reduce.ts';
export { currentCause } from './reduce-causes.ts';
export { processKey } from './reduce-processes.ts';
export type { RegistryAnswer, RegistryRequest } from './registry-spans.ts';
export { createReplay, type Replay, worldAt } from './replay.ts';
export { createRing, type Ring, type RingListener, type RingOptions } from './ring.ts';
export { sourceOfStack } from './source-line.ts';
export { parentInHeaders, spanHeaders } from './span-header.ts';
export {
  createTracer,
  type FinishedSpan,
  type OpenSpan,
  type SpanContext,
  type SpanInit,
  type SpanUpdate,
  silentTracer,
  type Tracer,
  type TracerOptions,
} from './tracer.ts';
export type * from './types.ts';
export { checkBody, checkEvent } from './validate.ts';
export { type BuildStage, type BuildStep, type BuildView, builds } from './view-builds.ts';
export { type CallChain, type CallMessage, type CallRow, callChain, type TraceSummary, traces } from './view-calls.ts';
export { MARK_MS, type Mark, markOf } from './view-marks.ts';
export {
  containerNames,
  type NamespaceSet,
  namespaceSets,
  type ProcessNode,
  processRows,
  processTree,
} from './view-processes.ts';
export { type CgroupRow, cgroupRows, type LayerStack, layerStacks, type UpperRow } from './view-resources.ts';
export { type TimelineLane, type TimelineMark, type TimelineOptions, timelineMarks } from './view-timeline.ts';
export { type LayerFill, type LayerMove, type Transfer, type TransferLayer, transfers } from './view-transfers.ts';
export {
  type Cause,
  type CgroupPoint,
  emptyWorld,
  type KernelType,
  LIMITS as WORLD_LIMITS,
  type Life,
  type UpperChange,
  type World,
  type WorldCgroup,
  type WorldCheck,
  type WorldCommand,
  type WorldContainer,
  type WorldDisk,
  type WorldGap,
  type WorldKernelEvent,
  type WorldLayers,
  type WorldMachine,
  type WorldNotice,
  type WorldProcess,
  type WorldTrace,
} from './world.ts';

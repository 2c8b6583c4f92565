export { boundText, PAYLOAD_LIMIT, REDACTED, redactText, redactValue, showPayload } from './redact.ts';
export { createRing, type Ring, type RingListener, type RingOptions } from './ring.ts';
export { sourceOfStack } from './source-line.ts';
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

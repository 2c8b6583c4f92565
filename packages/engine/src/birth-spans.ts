/**
 * Each operation of a birth as a span of the journal.
 *
 * Knows: how a launcher's record becomes a picture's bar.
 * Does not know: what an operation does.
 */
import type { SpanContext, Tracer } from '@slipway/journal';
import { operationSource } from '@slipway/launcher';
import type { BirthOperation } from '@slipway/runtime';

export interface BirthTrace {
  readonly tracer: Tracer;
  readonly parent: SpanContext;
  readonly container: string;
}

/** Longer than a process that is ready waits to be let go, shorter than anybody notices. */
const LATER_MS = 5;

/**
 * For the runtime's `onOperation`: writes one finished span for each operation, a moment later, since writing down sixty of them takes
 * longer than all that is left to do for the process whose birth they tell of.
 */
export function traceBirth(trace: BirthTrace): (birth: BirthOperation) => void {
  const write = spanWriter(trace);
  let held: BirthOperation[] = [];
  const writeHeld = () => {
    const births = held;
    held = [];
    for (const birth of births) write(birth);
  };
  return (birth) => {
    if (held.push(birth) === 1) setTimeout(writeHeld, LATER_MS);
  };
}

function spanWriter({ tracer, parent, container }: BirthTrace): (birth: BirthOperation) => void {
  return ({ operation, record }) => {
    const { op, phase, pointer, reason, ...args } = operation;
    tracer.record({
      actor: 'launcher',
      name: operationName(op, args),
      protocol: 'system call',
      container,
      parent,
      startMs: record.startMs,
      endMs: record.endMs,
      // The C function that did it; without installed sources, this line.
      source: operationSource(op),
      operation: {
        index: record.index,
        op,
        phase,
        pointer,
        reason,
        errno: record.errno,
        args: JSON.stringify(args, showValue),
        ...(record.ahead === undefined ? {} : { ahead: record.ahead }),
      },
      ...(record.errno === 0 ? {} : { error: new Error(`${record.call ?? op} failed with errno ${record.errno}`) }),
    });
  };
}

function operationName(op: string, args: Readonly<Record<string, unknown>>): string {
  const subject = args['destination'] ?? args['hostPath'] ?? args['name'] ?? args['path'] ?? args['key'];
  return typeof subject === 'string' ? `${op} ${subject}` : op;
}

function showValue(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? `${value.length} bytes` : value;
}

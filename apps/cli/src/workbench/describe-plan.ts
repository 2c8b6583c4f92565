/**
 * A plan as a picture needs it: every operation with its arguments as text and the lines of source behind it.
 *
 * Knows: how arguments read.
 * Does not know: what operations do.
 */
import type { PlannedOperation } from '@slipway/contracts';
import { type Operation, operationSource } from '@slipway/launcher';
import { planSources } from '@slipway/runtime';

const MAX_VALUE = 1500;

export function describePlan(operations: readonly Operation[]): PlannedOperation[] {
  return operations.map((operation, index) => {
    const { op, phase, pointer, reason, ...args } = operation;
    const performedAt = operationSource(op);
    return {
      index,
      op,
      phase,
      pointer,
      reason,
      args: Object.entries(args).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: show(value) }])),
      plannedAt: planSources(op).filter((line) => !line.includes('/plan/exec.ts:')), // further processes are not born
      ...(performedAt === undefined ? {} : { performedAt }),
    };
  });
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, bigAndBytes);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

function bigAndBytes(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? `${value.length / 8} instructions` : value;
}

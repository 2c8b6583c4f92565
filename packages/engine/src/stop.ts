/**
 * Ending a container's process: politely with a deadline, or with a signal of the caller's choice.
 *
 * Knows: signals and deadlines.
 * Does not know: what happens after the end (supervise.ts).
 */
import { EngineError } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { parseSignal, signalName } from '@slipway/oci';
import { containerEvent } from './facts.ts';
import { requireAllowed } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';
import { deliver, SIGKILL } from './signal.ts';

const DEFAULT_TIMEOUT_SECONDS = 10;
/** What setTimeout takes, some 25 days; beyond it, it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface StopOptions {
  /** Absent: the container's own, else 10. Negative: wait for ever. */
  readonly timeoutSeconds?: number;
  /** Absent: the container's stop signal. */
  readonly signal?: string;
}

/** @returns false when it was not running */
export async function stopContainer(
  engine: EngineContext,
  container: LiveContainer,
  options: StopOptions = {},
  parent?: SpanContext,
): Promise<boolean> {
  const signal =
    options.signal === undefined || options.signal === '' ? container.record.process.stopSignal : requireSignal(options.signal);
  const init = { actor: 'engine', name: 'container.stop', protocol: 'function call', container: container.id, parent } as const;
  return engine.tracer.span({ ...init, request: { ...options, signal: signalName(signal) } }, () =>
    container.exclusive(async () => {
      if (!requireAllowed(container.record, 'stop')) return false;
      const seconds = options.timeoutSeconds ?? container.record.request.stopTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
      const ended = container.wait('next-exit');
      await deliver(engine, container, signal);
      if (!(await endsWithin(ended, seconds))) {
        await deliver(engine, container, SIGKILL);
        await ended;
      }
      containerEvent(engine, container, 'stop');
      return true;
    }),
  );
}

/** Sends one signal. @throws failed-precondition unless it runs; invalid-argument for what is no signal */
export async function killContainer(
  engine: EngineContext,
  container: LiveContainer,
  signalText: string | undefined,
  parent?: SpanContext,
): Promise<void> {
  const signal = signalText === undefined || signalText === '' ? SIGKILL : requireSignal(signalText);
  const init = { actor: 'engine', name: 'container.kill', protocol: 'function call', container: container.id, parent } as const;
  await engine.tracer.span({ ...init, request: { signal: signalName(signal) } }, async () => {
    requireAllowed(container.record, 'kill');
    await deliver(engine, container, signal);
    containerEvent(engine, container, 'kill', { signal: String(signal) });
  });
}

async function endsWithin(ended: Promise<unknown>, seconds: number): Promise<boolean> {
  if (seconds < 0) return ended.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(seconds * 1000, LONGEST_TIMER_MS));
  });
  try {
    return await Promise.race([ended.then(() => true), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function requireSignal(text: string): number {
  const signal = parseSignal(text);
  if (signal !== undefined) return signal;
  throw new EngineError('invalid-argument', `invalid signal: ${text.slice(0, 40)}`, {
    code: 'E_SIGNAL_INVALID',
    op: 'container.kill',
    hint: 'use a name like SIGTERM or a number from 1 to 64',
  });
}

import { createTracer } from '@slipway/journal';
import { expect, test } from 'vitest';
import type { ContainerRecord } from './container.ts';
import { LiveContainer } from './live-container.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import type { EngineContext } from './ports.ts';
import { RECORD } from './testing/requests.ts';

/** As much of an engine as freezing needs; `during` happens while the runtime is at it. */
function engineWhere(during: () => void): EngineContext {
  const containers = {
    update: async (container: LiveContainer, change: Partial<ContainerRecord>) => {
      container.record = { ...container.record, ...change };
    },
  };
  return {
    runtime: { pause: async () => during(), resume: async () => during() },
    containers,
    tracer: createTracer({ emit: () => undefined, now: () => 0 }),
    events: { publish: () => undefined },
    emit: () => undefined,
    warn: () => undefined,
  } as unknown as EngineContext;
}

test('a process that ends while it is frozen or thawed stays ended', async () => {
  for (const [verb, status] of [[pauseContainer, 'running'] as const, [unpauseContainer, 'paused'] as const]) {
    const container = new LiveContainer({ ...RECORD, status });
    const ends = () => {
      container.record = { ...container.record, status: 'exited' };
    };
    await verb(engineWhere(ends), container).catch(() => undefined);
    expect([verb.name, container.record.status]).toEqual([verb.name, 'exited']);
  }
});

test('one that lives is paused, and runs again', async () => {
  const container = new LiveContainer(RECORD);
  const engine = engineWhere(() => undefined);
  await pauseContainer(engine, container);
  expect(container.record.status).toBe('paused');
  await unpauseContainer(engine, container);
  expect(container.record.status).toBe('running');
});

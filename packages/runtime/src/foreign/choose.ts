/**
 * Several runtimes as one: a container is created on the one that is named, and stays there.
 *
 * Knows: whose a container is, by who keeps its state.
 * Does not know: any of them.
 */
import { EngineError } from '@slipway/errors';
import type { Runtime } from '../runtime.ts';
import { createForeignRuntime, type ForeignRuntimeOptions } from './runtime.ts';

/** @param own for containers that name none */
export function chooseRuntime(own: Runtime, foreign: readonly ForeignRuntimeOptions[]): Runtime {
  if (foreign.length === 0) return own;
  const others = foreign.map((options) => ({ name: options.name, runtime: createForeignRuntime(options) }));
  const of = (id: string): Runtime => others.find(({ runtime }) => runtime.has(id))?.runtime ?? own;
  const named = (name: string | undefined): Runtime => {
    if (name === undefined) return own;
    const found = others.find((each) => each.name === name)?.runtime;
    if (found !== undefined) return found;
    throw new EngineError('invalid-argument', `there is no runtime "${name}"`, {
      code: 'E_RUNTIME_UNKNOWN',
      op: 'container.create',
      subject: name,
    });
  };
  return {
    expectCreate: () => own.expectCreate(),
    create: async (request) => named(request.runtime).create(request),
    run: async (request) => named(request.runtime).run(request),
    start: async (id) => of(id).start(id),
    state: async (id) => of(id).state(id),
    list: async () => (await Promise.all([own, ...others.map(({ runtime }) => runtime)].map((each) => each.list()))).flat(),
    kill: async (id, signal, options) => of(id).kill(id, signal, options),
    delete: async (id, options) => of(id).delete(id, options),
    pause: async (id) => of(id).pause(id),
    resume: async (id) => of(id).resume(id),
    update: async (id, resources) => of(id).update(id, resources),
    exec: async (id, request) => of(id).exec(id, request),
    spec: async (id) => of(id).spec(id),
    pids: async (id) => of(id).pids(id),
    close: () => own.close(),
  };
}

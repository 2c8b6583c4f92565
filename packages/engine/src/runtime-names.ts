/**
 * Which OCI runtime a container gets, by the name it was asked for with. Pure.
 *
 * Knows: the engine's own name and what clients call a runtime that is nothing special.
 * Does not know: any runtime.
 */
import { EngineError } from '@slipway/errors';
import type { ContainerRequest } from './container.ts';
import type { RuntimeNames } from './ports.ts';

const OWN = 'slipway';
/** What clients send for the usual runtime, whatever it is. */
const USUAL: readonly string[] = ['runc', 'io.containerd.runc.v2'];

/** The request with the runtime it gets; none for the engine's own. @throws invalid-argument / E_RUNTIME_UNKNOWN */
export function withRuntime(request: ContainerRequest, { foreign, fallback = OWN }: RuntimeNames): ContainerRequest {
  const { runtime: asked, ...host } = request.host;
  const name = asked ?? fallback;
  if (foreign.includes(name)) return { ...request, host: { ...host, runtime: name } };
  if (name === OWN || USUAL.includes(name)) return { ...request, host };
  throw new EngineError('invalid-argument', `Unknown runtime specified ${name}`, {
    code: 'E_RUNTIME_UNKNOWN',
    op: 'container.create',
    subject: name,
    hint: `there are: ${[OWN, ...foreign].join(', ')}`,
  });
}

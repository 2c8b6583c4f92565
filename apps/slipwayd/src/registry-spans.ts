/**
 * A registry's requests as spans of the journal.
 *
 * Knows: what becomes a span's name, payload and error.
 * Does not know: how the registry learns of them, nor who reads the journal.
 */
import { type FinishedSpan, parentInHeaders, type RegistryAnswer, type RegistryRequest } from '@slipway/journal';
import type { RequestRecord } from '@slipway/registry';

export function registrySpan(record: RequestRecord): FinishedSpan {
  const { startMs, endMs, method, path, span } = record;
  const error = errorOf(record);
  return {
    actor: 'registry',
    parent: parentInHeaders({ 'x-slipway-span': span }),
    name: `${method} ${path}`,
    protocol: 'HTTP over TCP',
    source: 'packages/registry/src/server.ts',
    startMs,
    endMs,
    request: requestOf(record),
    response: answerOf(record),
    ...(error && { error }),
  };
}

function requestOf({ method, target, mount, digest, range, userAgent }: RequestRecord): RegistryRequest {
  const named = target !== undefined && 'reference' in target ? target.reference : target;
  const asked = named !== undefined && 'digest' in named ? named.digest : digest;
  return {
    method,
    ...(target && { kind: target.kind }),
    ...(target && 'repository' in target && { repository: target.repository }),
    ...(named && 'tag' in named && { tag: named.tag }),
    ...(asked !== undefined && { digest: asked }),
    ...(target?.kind === 'upload' && { upload: target.id }),
    ...(mount && { mount }),
    ...(range !== undefined && { range }),
    ...(userAgent !== undefined && { userAgent }),
  };
}

function answerOf({ status, answeredDigest, answeredRange, sentBytes, answerBytes, receivedBytes }: RequestRecord): RegistryAnswer {
  return {
    ...(status !== undefined && { status }),
    ...(answeredDigest !== undefined && { digest: answeredDigest }),
    ...(answeredRange !== undefined && { range: answeredRange }),
    bytes: sentBytes,
    ...(answerBytes !== undefined && { length: answerBytes }),
    received: receivedBytes,
  };
}

/** That something is not there is an answer, not a failure, where a client only asks whether it is. */
function errorOf({ method, status, isComplete, failure, sentBytes }: RequestRecord): Error | undefined {
  if (!isComplete) return named('CLIENT_GONE', `the client went away after ${sentBytes} bytes of the answer`);
  if (failure === undefined || (method === 'HEAD' && status === 404)) return undefined;
  return named(failure.code, failure.message);
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

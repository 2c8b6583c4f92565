/**
 * Resource limits of the process.
 *
 * Knows: when raising a limit needs a right.
 * Does not know: cgroup limits.
 *
 * @spec runtime-spec/config.md#posix-process
 */
import { RLIMIT_UNLIMITED, type RuntimeSpec, rlimitNumber, rlimitValue } from '@slipway/oci';
import { clampsByDefault } from './clamp.ts';
import { type Draft, invalid, missingRight } from './draft.ts';
import type { HostFacts } from './host.ts';
import { userNamespaceOf } from './namespaces.ts';

const CAP_SYS_RESOURCE = 24;

export function planLimits(draft: Draft, spec: RuntimeSpec, host: HostFacts): void {
  for (const [index, limit] of (spec.process?.rlimits ?? []).entries()) {
    const pointer = `/process/rlimits/${index}`;
    const resource = rlimitNumber(limit.type);
    if (resource === undefined) throw invalid(`${pointer}/type`, `"${limit.type}" is not a resource limit`);
    const hard = allowedHard(draft, spec, host, { pointer, type: limit.type, resource, wanted: rlimitValue(limit.hard) });
    draft.add(
      'rights',
      { pointer, reason: `${limit.type} of the process` },
      { op: 'rlimit', resource, soft: atMost(rlimitValue(limit.soft), hard), hard },
    );
  }
}

/** Math.min knows no bigint. */
function atMost(value: bigint, limit: bigint): bigint {
  if (value > limit) return limit;
  return value;
}

interface WantedLimit {
  readonly pointer: string;
  readonly type: string;
  readonly resource: number;
  readonly wanted: bigint;
}

/** The kernel asks for the right in the first user namespace, so having it in a container's own does not help. */
function allowedHard(draft: Draft, spec: RuntimeSpec, host: HostFacts, limit: WantedLimit): bigint {
  const mayRaise = host.capabilities.includes(CAP_SYS_RESOURCE) && !host.inUserNamespace && userNamespaceOf(spec) === 'own';
  const ours = host.hardLimits[limit.resource];
  if (mayRaise || ours === undefined || limit.wanted <= ours) return limit.wanted;
  const text = limit.wanted === RLIMIT_UNLIMITED ? 'unlimited' : String(limit.wanted);
  if (!clampsByDefault(spec, 'rlimits')) {
    throw missingRight(`${limit.pointer}/hard`, `${limit.type} cannot be raised from ${ours} to ${text}`, 'CAP_SYS_RESOURCE');
  }
  draft.warn(`${limit.type} ${text} became ${ours}: raising it needs CAP_SYS_RESOURCE, which this host withholds`);
  return ours;
}

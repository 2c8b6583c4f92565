/**
 * The five capability sets.
 *
 * Knows: the kernel's rules between the sets, and what we can hand on at all.
 * Does not know: which capabilities an engine gives by default (packages/oci).
 *
 * @spec runtime-spec/config.md#linux-process
 * @see capabilities(7)
 */
import { capabilityName, capabilityNumber, DOCKER_DEFAULTS, type RuntimeSpec, type SpecCapabilities } from '@slipway/oci';
import type { Draft } from './draft.ts';
import type { HostFacts } from './host.ts';
import { userNamespaceOf } from './namespaces.ts';

const SETS = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const;
type Sets = Readonly<Record<(typeof SETS)[number], readonly number[]>>;

/** Two operations with the change of user between them: the bounding set is dropped while we still may, the others set after. */
export interface PlannedCapabilities {
  dropBounding(): void;
  apply(): void;
}

/** Absent sets are empty: a document without capabilities gives none. */
export function planCapabilities(draft: Draft, spec: RuntimeSpec, host: HostFacts): PlannedCapabilities {
  const { bounding, effective, permitted, inheritable, ambient } = planSets(draft, spec, host);
  return {
    dropBounding: () => {
      const origin = { pointer: '/process/capabilities/bounding', reason: 'nothing it ever executes can hold more than this' };
      draft.add('rights', origin, { op: 'boundingSet', keep: bounding });
    },
    apply: () => {
      const origin = { pointer: '/process/capabilities', reason: 'of root’s rights, the process keeps these' };
      draft.add('rights', origin, { op: 'capabilities', effective, permitted, inheritable, ambient });
    },
  };
}

/** Of root in a container that asks for nothing, where all of it can be given. */
const usualSets = new WeakMap<HostFacts['capabilities'], Sets>();

function planSets(draft: Draft, spec: RuntimeSpec, host: HostFacts): Sets {
  const isUsual = asksForUsual(spec.process?.capabilities) && userNamespaceOf(spec) === 'own';
  const known = isUsual ? usualSets.get(host.capabilities) : undefined;
  if (known !== undefined) return known;
  const sets = withinKernelRules(draft, grantable(draft, spec, host));
  if (isUsual && sets.bounding.length === DOCKER_DEFAULTS.capabilities.length) usualSets.set(host.capabilities, sets);
  return sets;
}

function asksForUsual({ bounding, effective, permitted, inheritable = [], ambient = [] }: SpecCapabilities = {}): boolean {
  const isRoot = effective === bounding && permitted === bounding && inheritable.length === 0 && ambient.length === 0;
  return bounding === DOCKER_DEFAULTS.capabilities && isRoot;
}

/**
 * Everybody who makes a user namespace holds every capability in it; elsewhere we can pass on only what we hold, and the specification
 * wants the rest to be a warning, not a failure.
 */
function grantable(draft: Draft, spec: RuntimeSpec, host: HostFacts): Sets {
  const asked = numbersOf(draft, spec.process?.capabilities ?? {});
  const inOwn = userNamespaceOf(spec) === 'own';
  const held = (cap: number) => cap <= host.lastCapability && (!inOwn || host.capabilities.includes(cap));
  const missing = new Set(SETS.flatMap((set) => asked[set].filter((cap) => !held(cap))));
  for (const cap of missing) draft.warn(`${capabilityName(cap)} is not given to the process: this host withholds it`);
  return mapSets((set) => asked[set].filter(held));
}

/** effective ⊆ permitted ⊆ bounding, and ambient ⊆ permitted ∩ inheritable: the kernel refuses or ignores anything else. */
function withinKernelRules(draft: Draft, asked: Sets): Sets {
  const permitted = asked.permitted.filter((cap) => asked.bounding.includes(cap));
  const effective = asked.effective.filter((cap) => permitted.includes(cap));
  const inheritable = asked.inheritable.filter((cap) => asked.bounding.includes(cap));
  const ambient = asked.ambient.filter((cap) => permitted.includes(cap) && inheritable.includes(cap));
  const sets: Sets = { bounding: asked.bounding, permitted, effective, inheritable, ambient };
  for (const set of SETS) {
    const lost = asked[set].filter((cap) => !sets[set].includes(cap)).map((cap) => capabilityName(cap));
    if (lost.length > 0) draft.warn(`${lost.join(', ')} cannot be ${set} by the kernel's rules between the sets`);
  }
  return sets;
}

/** The specification wants a name that this kernel does not know to be a warning. */
function numbersOf(draft: Draft, capabilities: SpecCapabilities): Sets {
  const unknown = new Set<string>();
  const sets = mapSets((set) => {
    const numbers = (capabilities[set] ?? []).flatMap((name) => {
      const number = capabilityNumber(name);
      if (number === undefined) unknown.add(name);
      return number ?? [];
    });
    return [...new Set(numbers)].toSorted((a, b) => a - b);
  });
  for (const name of unknown) draft.warn(`"${name}" is not a capability; the process does not get it`);
  return sets;
}

function mapSets(fill: (set: (typeof SETS)[number]) => readonly number[]): Sets {
  return {
    bounding: fill('bounding'),
    effective: fill('effective'),
    permitted: fill('permitted'),
    inheritable: fill('inheritable'),
    ambient: fill('ambient'),
  };
}

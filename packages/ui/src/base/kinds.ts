/**
 * The words, letters and colours of things that keep their colour everywhere: namespaces and actors.
 *
 * Knows: names, one-letter marks, meanings, CSS colour variables (styles/tokens.css).
 * Does not know: where they are drawn.
 */
import type { Actor, NamespaceName, Provenance } from '@slipway/journal/types';

export interface NamespaceKind {
  readonly name: NamespaceName;
  /** Never colour alone: the letter stands beside it. */
  readonly letter: string;
  readonly title: string;
  /** What a process in a namespace of its own sees differently. */
  readonly isolates: string;
  readonly color: string;
  /** The clone(2) flag that makes one. */
  readonly flag: string;
}

/** In the order the pictures nest them: what contains most first. */
export const NAMESPACE_KINDS: readonly NamespaceKind[] = [
  {
    name: 'user',
    letter: 'U',
    title: 'user',
    isolates: 'user and group ids, capabilities',
    color: 'var(--ns-user)',
    flag: 'CLONE_NEWUSER',
  },
  { name: 'mnt', letter: 'M', title: 'mount', isolates: 'the tree of mounted file systems', color: 'var(--ns-mnt)', flag: 'CLONE_NEWNS' },
  { name: 'pid', letter: 'P', title: 'pid', isolates: 'process numbers', color: 'var(--ns-pid)', flag: 'CLONE_NEWPID' },
  {
    name: 'net',
    letter: 'N',
    title: 'network',
    isolates: 'interfaces, addresses, routes, ports',
    color: 'var(--ns-net)',
    flag: 'CLONE_NEWNET',
  },
  { name: 'ipc', letter: 'I', title: 'ipc', isolates: 'shared memory and message queues', color: 'var(--ns-ipc)', flag: 'CLONE_NEWIPC' },
  { name: 'uts', letter: 'H', title: 'uts', isolates: 'host name and domain name', color: 'var(--ns-uts)', flag: 'CLONE_NEWUTS' },
  {
    name: 'cgroup',
    letter: 'C',
    title: 'cgroup',
    isolates: 'where the control group tree begins',
    color: 'var(--ns-cgroup)',
    flag: 'CLONE_NEWCGROUP',
  },
  { name: 'time', letter: 'T', title: 'time', isolates: 'boot and monotonic clocks', color: 'var(--ns-time)', flag: 'CLONE_NEWTIME' },
];

const BY_NAME = new Map(NAMESPACE_KINDS.map((kind) => [kind.name, kind]));

/** Total over the eight kinds. */
export function namespaceKind(name: NamespaceName): NamespaceKind {
  const kind = BY_NAME.get(name);
  if (!kind) throw new RangeError(`unknown namespace kind "${name}"`);
  return kind;
}

export interface ActorKind {
  readonly name: Actor;
  readonly letter: string;
  readonly title: string;
  readonly does: string;
  readonly color: string;
}

/** From the hand that types to the kernel that acts. */
export const ACTORS: readonly ActorKind[] = [
  { name: 'client', letter: 'C', title: 'client', does: 'the command you typed', color: 'var(--actor-client)' },
  { name: 'api', letter: 'A', title: 'API', does: 'answers HTTP on a unix socket', color: 'var(--actor-api)' },
  { name: 'engine', letter: 'E', title: 'engine', does: 'decides what has to happen', color: 'var(--actor-engine)' },
  { name: 'store', letter: 'S', title: 'store', does: 'keeps images and snapshots', color: 'var(--actor-store)' },
  { name: 'registry', letter: 'G', title: 'registry', does: 'hands out and takes in images', color: 'var(--actor-registry)' },
  { name: 'network', letter: 'N', title: 'network', does: 'attaches interfaces', color: 'var(--actor-network)' },
  { name: 'shim', letter: 'H', title: 'shim', does: 'parents the container', color: 'var(--actor-shim)' },
  { name: 'runtime', letter: 'R', title: 'runtime', does: 'turns config.json into a plan', color: 'var(--actor-runtime)' },
  {
    name: 'launcher',
    letter: 'L',
    title: 'launcher',
    does: 'performs the plan, one system call after another',
    color: 'var(--actor-launcher)',
  },
  { name: 'kernel', letter: 'K', title: 'kernel', does: 'what really happened, as the kernel traced it', color: 'var(--actor-kernel)' },
];

const ACTOR_BY_NAME = new Map(ACTORS.map((actor) => [actor.name, actor]));

/** Total over the ten actors. */
export function actorKind(name: Actor): ActorKind {
  const kind = ACTOR_BY_NAME.get(name);
  if (!kind) throw new RangeError(`unknown actor "${name}"`);
  return kind;
}

/** What the provenance badge says, and what it means. */
export const PROVENANCE = {
  live: { title: 'live kernel', meaning: 'Drawn from what the kernel and the engine of your machine report right now.' },
  recorded: { title: 'recorded', meaning: 'Drawn from a saved journal. It happened on a real kernel, but not here and now.' },
  simulated: { title: 'simulated', meaning: 'Made up by the development server. No kernel was involved.' },
} as const satisfies Record<Provenance, { title: string; meaning: string }>;

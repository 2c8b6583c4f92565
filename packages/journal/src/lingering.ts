/**
 * How long what has ended stays in the pictures, and how much of it.
 *
 * A learner ends something, reads what the lesson says to it, and looks up: the picture still has to show how it ended. So what was of a
 * container stays long enough for that. The commands of the machine itself come and go all the time and leave sooner, and however many
 * they are, they never push out what was of a container. The timeline keeps everything.
 *
 * Knows: time and whose it was. Does not know: what a picture draws.
 */
import { LIMITS, type Life } from './world.ts';

/** Whether it is to be seen: there, or gone only now. @param container its container's id; undefined: the machine's own */
export function isVisible(life: Life, container: string | undefined, nowMs: number): boolean {
  const staysMs = container === undefined ? LIMITS.lingerMs : LIMITS.containerLingerMs;
  return life.goneAtMs === undefined || nowMs - life.goneAtMs <= staysMs;
}

/** Of what has ended, what stays in the world: the newest of the containers, and the newest of the machine's own. */
export function lingering<Ended extends Life>(
  ended: readonly Ended[],
  containerOf: (entry: Ended) => string | undefined,
  atMs: number,
): readonly Ended[] {
  const newest = ended
    .filter((entry) => isVisible(entry, containerOf(entry), atMs))
    .toSorted((a, b) => (b.goneAtMs ?? atMs) - (a.goneAtMs ?? atMs));
  const ofContainers = newest.filter((entry) => containerOf(entry) !== undefined);
  const ofMachine = newest.filter((entry) => containerOf(entry) === undefined);
  return [...ofContainers.slice(0, LIMITS.gone), ...ofMachine.slice(0, LIMITS.gone)];
}

/**
 * What a check can ask about control groups, from the values the host read in the kernel's own files.
 *
 * Knows: which groups somebody made by hand, and that a group may be gone by the time somebody asks.
 * Does not know: which lab asks.
 */
import type { CgroupSample } from '@slipway/journal/types';
import type { CheckView } from './types.ts';

/** Groups there are now. */
export function groupsNow(view: CheckView): readonly CgroupSample[] {
  const picture = view.events.findLast((event) => event.type === 'cgroups');
  return picture?.type === 'cgroups' ? picture.samples : [];
}

/** Each group seen since the lesson began as it was last seen; those that are gone, too. */
export function groupsSeen(view: CheckView): readonly CgroupSample[] {
  const seen = new Map<string, CgroupSample>();
  for (const event of view.events) {
    if (event.type === 'cgroups') for (const sample of event.samples) seen.set(sample.path, sample);
  }
  return [...seen.values()];
}

/** Neither the machine's own group, nor a container's, nor one that engine or machine keep them in. */
export function isHandMade({ path, container }: CgroupSample): boolean {
  return container === undefined && path !== '/' && !/^\/(?:slipway|init)(?:\/|$)/.test(path);
}

/**
 * Which images there are to be looked at: the engine's, and those that wait in the machine's registry.
 *
 * Knows: that one image may be in both. Does not know: what is in them.
 */
import type { WorkbenchAnswer } from '@slipway/contracts';
import { repositoryOf } from './image-graph.ts';
import type { MachineRegistry } from './machine-registry.ts';

const MAX_IMAGES = 500;

/** @param local names, or ids of images without one, as the engine tells them */
export async function listAllImages(local: readonly string[], registry: MachineRegistry): Promise<WorkbenchAnswer<'imageList'>> {
  const served = new Map<string, string>();
  const listed = await registry.list();
  const notes = registry.isSilent ? ['the machine’s registry does not answer: only the engine’s images are listed'] : [];
  for (const { repository, tags } of listed) for (const tag of tags) served.set(`${repository}:${tag}`, nameOf(repository, tag));
  const mine = local.map((name) => {
    const place = repositoryOf(name);
    return { name, local: true, served: place !== undefined && served.delete(`${place.repository}:${place.target}`) };
  });
  const others = [...served.values()].map((name) => ({ name, local: false, served: true }));
  return { images: [...mine, ...others.toSorted((a, b) => (a.name < b.name ? -1 : 1))].slice(0, MAX_IMAGES), notes };
}

/** As one would pull it. */
function nameOf(repository: string, tag: string): string {
  const official = /^library\/([^/]+)$/.exec(repository)?.[1];
  return official === undefined ? `127.0.0.1:5000/${repository}:${tag}` : `${official}:${tag}`;
}

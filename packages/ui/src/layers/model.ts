/**
 * Which layer answers when a container opens a path.
 *
 * Knows: overlay's rules over what the journal holds: the writable layer's entries; whiteouts and opaque directories hide what is below.
 * Does not know: what is inside the image's layers (the journal names them, it does not list them). Pure.
 */
import type { LayerStack, UpperRow } from '@slipway/journal';

export type Served =
  | { readonly by: 'upper'; readonly entry: UpperRow }
  /** Deleted: a whiteout, of the path itself or of a directory above it. */
  | { readonly by: 'nobody'; readonly entry: UpperRow }
  /** The image's layers are asked, top first. */
  | { readonly by: 'image'; readonly merged: boolean };

export function servedBy(stack: Pick<LayerStack, 'upper'>, path: string): Served {
  const wanted = cleanPath(path);
  const exact = stack.upper.find((entry) => entry.path === wanted);
  if (exact?.kind === 'whiteout') return { by: 'nobody', entry: exact };
  for (const parent of parentsOf(wanted)) {
    const entry = stack.upper.find((candidate) => candidate.path === parent);
    if (entry?.kind === 'whiteout') return { by: 'nobody', entry };
    if (entry?.kind === 'opaque' && !exact) return { by: 'nobody', entry };
  }
  if (exact && exact.kind !== 'directory') return { by: 'upper', entry: exact };
  return { by: 'image', merged: exact !== undefined };
}

export interface UpperParts {
  /** What the container wrote and deleted. */
  readonly written: readonly UpperRow[];
  /** What the runtime made to mount on; not the directories on the way there. */
  readonly mountPoints: readonly UpperRow[];
}

export function splitUpper(stack: Pick<LayerStack, 'upper'>): UpperParts {
  const made = stack.upper.filter((entry) => entry.mountPoint === true);
  return {
    written: stack.upper.filter((entry) => entry.mountPoint !== true),
    mountPoints: made.filter(({ path }) => !made.some((other) => other.path.startsWith(`${path}/`))),
  };
}

/** What overlay did, in a sentence. */
export function servedSentence(served: Served, path: string): string {
  switch (served.by) {
    case 'upper':
      if (served.entry.mountPoint) {
        return `${path} comes from a mount: what is mounted there covers everything below. The writable layer only holds the place for it.`;
      }
      return `${path} comes from the writable layer: it was made or changed in this container, and whatever the image has there is covered.`;
    case 'nobody':
      return `${path} is gone for this container: ${
        served.entry.kind === 'whiteout'
          ? `a whiteout at ${served.entry.path} hides it`
          : `the directory ${served.entry.path} was replaced as a whole`
      }. The image’s file still exists below, untouched.`;
    case 'image':
      return served.merged
        ? `${path} is a directory in both: the container sees the writable layer’s entries and the image’s together.`
        : `The writable layer has nothing at ${path}, so the image’s layers are asked, from the top down. The first write would copy it up.`;
  }
}

function cleanPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/**
 * Which lesson is on the page: its checks are the ones that matter.
 *
 * Knows: the slug, and who wants to hear of a change. Does not know: lessons, sockets.
 */

let current: string | undefined;
const listeners = new Set<(slug: string) => void>();

/** Undefined until the first lesson was asked for. */
export function lessonOnPage(): string | undefined {
  return current;
}

export function setLessonOnPage(slug: string): void {
  current = slug;
  for (const listener of listeners) listener(slug);
}

export function onLessonOnPage(listener: (slug: string) => void): void {
  listeners.add(listener);
}

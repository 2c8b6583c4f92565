/**
 * The address follows what is shown, and what is shown follows the address.
 *
 * Knows: history, the fragment, the stores. Does not know: how an address is written (state/address.ts).
 */
import { type Address, formatAddress, parseAddress } from '../state/address.ts';
import { feed, publishNow } from '../state/lab.ts';
import { loadLesson } from '../state/lesson-actions.ts';
import { select, useLessonState, useMoment, useSession, useView } from '../state/stores.ts';

const LAST_LESSON = 'slipway.lesson';

/** Shows what the address says and keeps both the same from then on. @returns how to stop */
export function followAddress(): () => void {
  void apply(parseAddress(location.hash), true);
  const onHash = () => void apply(parseAddress(location.hash), false);
  window.addEventListener('hashchange', onHash);
  const stops = [useView.subscribe(write), useLessonState.subscribe(write), useMoment.subscribe(write)];
  return () => {
    window.removeEventListener('hashchange', onHash);
    for (const stop of stops) stop();
  };
}

/** An address is being followed: what is shown halfway is not written. */
let following = 0;

/** The fragment that was followed or written last. Where there is another, it was entered just now: it is followed next, not overwritten. */
let known = '';

async function apply(address: Address, first: boolean): Promise<void> {
  known = location.hash;
  following += 1;
  try {
    await show(address, first);
  } finally {
    following -= 1;
  }
  write();
}

async function show(address: Address, first: boolean): Promise<void> {
  useView.setState({ place: address.place ?? 'lab', ...(address.panel ? { panel: address.panel } : {}), as: address.as ?? 'picture' });
  useView.setState({
    ...(address.layersOf ? { layersOf: address.layersOf } : {}),
    ...(address.images ? { images: address.images } : {}),
    ...(address.part ? { part: address.part } : {}),
  });
  select(address.selection);
  if (address.atMs !== undefined) {
    feed.seek(address.atMs);
    publishNow();
  }
  const { slug } = useLessonState.getState();
  const wanted = address.lesson ?? (slug === undefined ? currentLesson() : undefined);
  if (wanted === undefined || (wanted === slug && !first)) return;
  await loadLesson(wanted);
  const panel = useLessonState.getState().document?.meta.panels[0];
  if (address.panel === undefined && panel !== undefined) useView.setState({ panel });
}

/** Where the learner was; else the first lesson that is not done; else the first. */
function currentLesson(): string | undefined {
  const { lessons } = useSession.getState();
  const last = readLast();
  if (lessons.some((lesson) => lesson.slug === last)) return last;
  return (lessons.find((lesson) => lesson.passed < lesson.tasks) ?? lessons[0])?.slug;
}

/** For who has an address of their own to show, such as a link to the document at hand; nothing is followed. */
export function replaceAddress(url: string): void {
  history.replaceState(null, '', url);
  known = location.hash;
}

let written = '';

function write(): void {
  const { slug } = useLessonState.getState();
  if (slug === undefined || following > 0 || location.hash !== known) return;
  const { place, panel, as, selection, images, part, layersOf } = useView.getState();
  // The editor's own address may hold a document; it is left as it was given.
  if (place === 'config' && location.hash.startsWith('#/~config')) return;
  const { mode, atMs } = useMoment.getState();
  const next = formatAddress({
    place,
    lesson: slug,
    panel,
    as,
    ...(selection ? { selection } : {}),
    ...(mode === 'paused' ? { atMs } : {}),
    ...(panel === 'layers' && layersOf === 'image' ? { layersOf } : {}),
    ...(images && (panel === 'image-graph' || (panel === 'layers' && layersOf === 'image')) ? { images } : {}),
    ...(panel === 'image-graph' && part ? { part } : {}),
  });
  if (next === written && location.hash === next) return;
  written = next;
  // A lesson is a step to come back to; within it going back leaves instead of walking through every click.
  const before = parseAddress(location.hash).lesson;
  if (before !== undefined && before !== slug) history.pushState(null, '', next);
  else if (location.hash !== next) history.replaceState(null, '', next);
  known = location.hash;
  keepLast(slug);
}

function readLast(): string | undefined {
  try {
    return localStorage.getItem(LAST_LESSON) ?? undefined;
  } catch {
    return undefined;
  }
}

function keepLast(slug: string): void {
  try {
    localStorage.setItem(LAST_LESSON, slug);
  } catch {
    // Without storage the page begins with the first open lesson next time.
  }
}

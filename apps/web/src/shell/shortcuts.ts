/**
 * The page's keys, outside of the terminal and of text fields.
 *
 * Knows: which key does what; the shortcut map is drawn from the same table. Does not know: how.
 */
import { PANEL_TITLES } from '@slipway/ui';
import { feed, publishNow } from '../state/lab.ts';
import { PANEL_ORDER, panelKey } from '../state/panel-groups.ts';
import { clearView, type PaneName, select, useView } from '../state/stores.ts';

export interface Shortcut {
  readonly keys: string;
  readonly does: string;
  readonly run?: () => void;
}

/** Free in browsers, desktops and shells; Ctrl+Shift+Esc is the task manager's on Windows, and brackets need AltGr on many keyboards. */
export const LEAVE_TERMINAL = 'Ctrl+Shift+Enter';

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: '?', does: 'this map', run: () => useView.setState({ dialog: 'shortcuts' }) },
  { keys: 'f', does: 'fill the page with the pane you are in, and back', run: toggleFill },
  { keys: '1 … 9, 0', does: PANEL_ORDER.map((panel) => PANEL_TITLES[panel].toLowerCase()).join(', ') },
  ...PANEL_ORDER.map((panel) => ({ keys: panelKey(panel), does: '', run: () => useView.setState({ panel }) })),
  { keys: 'v', does: 'picture or text', run: () => useView.setState(({ as }) => ({ as: as === 'text' ? 'picture' : 'text' })) },
  { keys: 'e', does: 'the config.json editor, and back', run: togglePlace },
  { keys: 'l', does: 'all lessons', run: () => useView.setState({ dialog: 'lessons' }) },
  {
    keys: 't',
    does: 'into the terminal',
    run: () => document.querySelector<HTMLElement>('.terminal-view:not([hidden]) textarea')?.focus(),
  },
  { keys: LEAVE_TERMINAL, does: 'out of the terminal' },
  { keys: 'Space', does: 'pause the timeline, go on', run: togglePlay },
  { keys: 'End', does: 'back to now', run: goLive },
  { keys: '← →', does: 'on the timeline: half a second; with Shift five' },
  { keys: 'Esc', does: 'let go of what is selected or filled', run: release },
  { keys: 'Ctrl+Shift+F', does: 'in the terminal: search' },
  { keys: 'Ctrl+Shift+C / V', does: 'in the terminal: copy, paste' },
];

const BY_KEY = new Map(SHORTCUTS.flatMap((shortcut) => (shortcut.run ? [[keyName(shortcut.keys), shortcut.run] as const] : [])));

/** @returns how to stop */
export function listenForShortcuts(): () => void {
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}

function onKey(event: KeyboardEvent): void {
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  if (event.key === 'Enter' && event.ctrlKey && event.shiftKey && target?.closest('.terminal-pane')) {
    event.preventDefault();
    target.blur();
    document.querySelector<HTMLElement>('[role="tab"][aria-selected="true"], .panel-menu select')?.focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  // An open dialog has all keys, whoever opened it: Escape must reach it.
  if (document.querySelector('dialog[open]') || target?.closest('input, textarea, select, [contenteditable], .terminal-view')) return;
  // Space and End mean something on buttons, sliders and lists already.
  if ((event.key === ' ' || event.key === 'End') && target?.closest('button, a, [role], [tabindex]')) return;
  const run = BY_KEY.get(event.key === ' ' ? 'Space' : event.key);
  if (!run) return;
  event.preventDefault();
  run();
}

function keyName(keys: string): string {
  return keys === 'Esc' ? 'Escape' : keys;
}

function toggleFill(): void {
  if (useView.getState().filled) {
    clearView('filled');
    return;
  }
  const pane = document.activeElement?.closest<HTMLElement>('[data-pane]')?.dataset['pane'];
  useView.setState({ filled: (pane as PaneName | undefined) ?? 'explorers' });
}

function togglePlace(): void {
  useView.setState(({ place }) => ({ place: place === 'config' ? 'lab' : 'config' }));
}

function togglePlay(): void {
  const { mode } = feed.moment();
  if (mode === 'paused') feed.play();
  else feed.pause();
  publishNow();
}

function goLive(): void {
  feed.goLive();
  publishNow();
}

function release(): void {
  if (useView.getState().filled) clearView('filled');
  else select(undefined);
}

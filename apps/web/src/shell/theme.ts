/**
 * Light, dark, or as the system says.
 *
 * Knows: the data-theme attribute and where the choice is kept (public/theme.js reads it before the first paint).
 * Does not know: colours.
 */
'use client';
import { useSyncExternalStore } from 'react';
import { type Theme, useView } from '../state/stores.ts';

const KEY = 'slipway.theme';
const QUERY = '(prefers-color-scheme: dark)';

export function storedTheme(): Theme {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function setTheme(theme: Theme): void {
  useView.setState({ theme });
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

/** Whether dark colours are on the screen now. */
export function useIsDark(): boolean {
  const theme = useView((state) => state.theme);
  const system = useSyncExternalStore(
    watchSystem,
    () => matchMedia(QUERY).matches,
    () => false,
  );
  return theme === 'system' ? system : theme === 'dark';
}

function watchSystem(changed: () => void): () => void {
  const query = matchMedia(QUERY);
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}

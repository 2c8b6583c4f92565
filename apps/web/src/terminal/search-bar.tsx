/**
 * Search in the terminal's lines.
 *
 * Knows: xterm's search add-on. Does not know: which terminal it is.
 */
'use client';
import { IconButton } from '@slipway/ui';
import type { SearchAddon } from '@xterm/addon-search';
import { useState } from 'react';

export function SearchBar({ search, onClose }: { readonly search: SearchAddon; readonly onClose: () => void }) {
  const [term, setTerm] = useState('');
  const [missing, setMissing] = useState(false);
  const find = (text: string, back: boolean) => {
    const found = text === '' || (back ? search.findPrevious(text) : search.findNext(text, { incremental: text !== term }));
    setMissing(!found);
  };
  return (
    <search className="terminal-search">
      <input
        type="search"
        aria-label="Search in terminal"
        placeholder="Search"
        // biome-ignore lint/a11y/noAutofocus: opened by the learner to type into it
        autoFocus
        value={term}
        aria-invalid={missing}
        onChange={(event) => {
          setTerm(event.target.value);
          find(event.target.value, false);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') find(term, event.shiftKey);
          else if (event.key === 'Escape') onClose();
        }}
      />
      <span aria-live="polite">{missing ? 'not found' : ''}</span>
      <IconButton icon="cross" label="Close search" onClick={onClose} />
    </search>
  );
}

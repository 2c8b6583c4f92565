/**
 * Which of several things that spans tell of (requests, pulls, builds) is shown.
 *
 * Knows: what is chosen in the list, and that a span selected anywhere shows what it belongs to. Does not know: what the things are.
 */
'use client';
import { useState } from 'react';
import { select, useView } from '../state/stores.ts';

export interface SpanChoice {
  /** The span that is selected in every explorer. */
  readonly selectedSpan: string | undefined;
  /** Id of what was chosen in the list last. */
  readonly chosen: string | undefined;
  /** Chooses in the list; the selection, which may belong to something else, is let go. */
  readonly onChoose: (id: string) => void;
  /** Selects a span in every explorer. */
  readonly onSelect: (span: string) => void;
}

export function useSpanChoice(): SpanChoice {
  const selectedSpan = useView(({ selection }) => (selection?.kind === 'span' ? selection.id : undefined));
  const [chosen, setChosen] = useState<string>();
  return {
    selectedSpan,
    chosen,
    onChoose: (id) => {
      setChosen(id);
      if (selectedSpan !== undefined) select(undefined);
    },
    onSelect: (id) => select({ kind: 'span', id }),
  };
}

/** What the selected span belongs to, else what was chosen, else the first. */
export function shownOf<T extends { readonly id: string }>(
  all: readonly T[],
  { selectedSpan, chosen }: Pick<SpanChoice, 'selectedSpan' | 'chosen'>,
  hasSpan: (each: T, span: string) => boolean,
): T | undefined {
  const holder = selectedSpan === undefined ? undefined : all.find((each) => hasSpan(each, selectedSpan));
  return holder ?? all.find(({ id }) => id === chosen) ?? all[0];
}

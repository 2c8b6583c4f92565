/**
 * What the layers of a container have at a path, asked of the machine again whenever the container's writable layer changed.
 *
 * Knows: when to ask, and that an answer to an older question is of no use. Does not know: how it is drawn.
 */
'use client';
import type { LayerLook } from '@slipway/contracts';
import type { LayersFact } from '@slipway/journal';
import { useEffect, useState } from 'react';
import { workbench } from '../state/lab.ts';

export interface Looked {
  readonly layers?: readonly LayerLook[];
  readonly failure?: string;
}

/** The newest answer; empty until the first one to this question. */
export function useLayerLook(fact: LayersFact | undefined, path: string): Looked {
  const question = fact === undefined ? '' : `${fact.container} ${path}`;
  const [looked, setLooked] = useState<Looked & { readonly question: string }>({ question: '' });
  useEffect(() => {
    if (fact === undefined) return;
    let isWanted = true;
    const take = (answer: Looked): void => {
      if (isWanted) setLooked({ question, ...answer });
    };
    const directories = [...fact.lower.map(({ directory }) => directory), fact.upperDirectory];
    workbench.ask({ do: 'layers', directories, path }).then(
      ({ layers }) => take({ layers }),
      (error: unknown) => take({ failure: error instanceof Error ? error.message : 'the machine did not answer' }),
    );
    return () => {
      isWanted = false;
    };
  }, [fact, path, question]);
  return looked.question === question ? looked : {};
}

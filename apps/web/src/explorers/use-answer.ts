/**
 * One question to the workbench and its newest answer.
 *
 * Knows: that an answer to an older question is of no use, and that nobody answers before the machine is there.
 * Does not know: what is asked.
 */
'use client';
import type { WorkbenchAnswer, WorkbenchRequest, WorkbenchVerb } from '@slipway/contracts';
import { useEffect, useState } from 'react';
import { workbench } from '../state/lab.ts';
import { useSession } from '../state/stores.ts';

export interface Asked<T> {
  /** Absent until the first answer to this question. */
  readonly answer?: T;
  readonly failure?: string;
  /** A newer answer to the same question is on its way. */
  readonly isAsking: boolean;
}

/**
 * @param request undefined: nothing is asked. The question is its text: the same text is the same question.
 * @param since when it changes, the same question is asked again, and the old answer stands until then
 */
export function useAnswer<Verb extends WorkbenchVerb>(
  request: Extract<WorkbenchRequest, { readonly do: Verb }> | undefined,
  since: unknown = '',
): Asked<WorkbenchAnswer<Verb>> {
  const isLive = useSession((state) => state.connection.phase === 'live' && state.machine?.state === 'ready');
  const question = request === undefined ? '' : JSON.stringify(request);
  const [held, setHeld] = useState<{ readonly question: string; readonly answer?: WorkbenchAnswer<Verb>; readonly failure?: string }>({
    question: '',
  });
  const [isAsking, setAsking] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `since` is only a reason to ask again
  useEffect(() => {
    if (question === '' || !isLive) return;
    let isWanted = true;
    setAsking(true);
    void workbench
      .ask<Verb>(JSON.parse(question) as Extract<WorkbenchRequest, { readonly do: Verb }>)
      .then(
        (answer) => ({ answer }),
        (error: unknown) => ({ failure: error instanceof Error ? error.message : 'the machine did not answer' }),
      )
      .then((outcome) => {
        if (!isWanted) return;
        setHeld({ question, ...outcome });
        setAsking(false);
      });
    return () => {
      isWanted = false;
    };
  }, [question, since, isLive]);
  const { answer, failure } = held.question === question ? held : {};
  return { ...(answer === undefined ? {} : { answer }), ...(failure === undefined ? {} : { failure }), isAsking };
}

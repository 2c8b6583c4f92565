/**
 * One question to the workbench and its newest answer.
 *
 * Knows: that an answer to an older question is of no use, that nobody answers before the machine is there, and that what only is away for a
 * moment is asked again. Does not know: what is asked.
 */
'use client';
import type { WorkbenchAnswer, WorkbenchRequest, WorkbenchVerb } from '@slipway/contracts';
import { useEffect, useState } from 'react';
import { AGAIN_MS, mayPass } from '../net/patience.ts';
import { WorkbenchError } from '../net/workbench-client.ts';
import { workbench } from '../state/lab.ts';
import { useSession } from '../state/stores.ts';

/** Why there is no answer, or no newer one. */
export interface AskFailure {
  readonly message: string;
  /** What to try: a command or a sentence. */
  readonly hint?: string | undefined;
  /** It may pass by itself: the same is asked again every few seconds. */
  readonly mayPass: boolean;
}

export interface Asked<T> {
  /** The last one to this question; it stands while a newer one is on its way or cannot be had. */
  readonly answer?: T;
  readonly failure?: AskFailure;
  /** A newer answer to the same question is on its way. */
  readonly isAsking: boolean;
}

/** Nobody is there to be asked, and nobody will be by waiting. */
const NO_MACHINE: AskFailure = { message: 'your machine has failed', hint: 'New machine, on top of this page', mayPass: false };

interface Held<T> extends Omit<Asked<T>, 'isAsking'> {
  readonly question: string;
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
  const hasFailed = useSession((state) => state.machine?.state === 'failed');
  const question = request === undefined ? '' : JSON.stringify(request);
  const [held, setHeld] = useState<Held<WorkbenchAnswer<Verb>>>({ question: '' });
  const [isAsking, setAsking] = useState(false);
  const [asksAgain, setAsksAgain] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `since` and `asksAgain` are only reasons to ask again
  useEffect(() => {
    if (question === '' || !isLive) return;
    let again: ReturnType<typeof setTimeout> | undefined;
    let isWanted = true;
    setAsking(true);
    void ask<Verb>(question).then((outcome) => {
      if (!isWanted) return;
      setHeld((before) => ({ ...(before.question === question && outcome.failure ? before : {}), question, ...outcome }));
      setAsking(false);
      if (outcome.failure?.mayPass) again = setTimeout(() => setAsksAgain((count) => count + 1), AGAIN_MS);
    });
    return () => {
      isWanted = false;
      clearTimeout(again);
    };
  }, [question, since, isLive, asksAgain]);
  const { question: _question, ...asked } = held.question === question ? held : { question };
  return hasFailed ? { ...asked, failure: NO_MACHINE, isAsking: false } : { ...asked, isAsking };
}

async function ask<Verb extends WorkbenchVerb>(question: string): Promise<Omit<Asked<WorkbenchAnswer<Verb>>, 'isAsking'>> {
  try {
    return { answer: await workbench.ask<Verb>(JSON.parse(question) as Extract<WorkbenchRequest, { readonly do: Verb }>) };
  } catch (error) {
    if (!(error instanceof WorkbenchError)) return { failure: { message: 'the machine did not answer', mayPass: true } };
    const { message, hint } = error;
    return { failure: { message, hint, mayPass: mayPass(error) } };
  }
}

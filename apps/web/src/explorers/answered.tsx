/**
 * What is drawn of an answer of the workbench: the answer; until there is one a skeleton; where there is none why, and what to do.
 *
 * Knows: that an old answer is better than none, if it is said to be old. Does not know: what was asked.
 */
'use client';
import { EmptyState, Skeleton, visible } from '@slipway/ui';
import type { ReactNode } from 'react';
import { typeCommand } from '../state/lab.ts';
import type { Asked, AskFailure } from './use-answer.ts';

export interface AnsweredProps<T> {
  readonly asked: Asked<T>;
  /** What cannot be done without an answer, as a sentence. Absent: this is a part of a picture, where a note is enough. */
  readonly failed?: string;
  /** What is waited for. */
  readonly waiting: string;
  /** Of the skeleton. */
  readonly rows?: number;
  readonly children: (answer: T) => ReactNode;
}

export function Answered<T>({ asked, failed, waiting, rows = 7, children }: AnsweredProps<T>) {
  const { answer, failure } = asked;
  if (answer !== undefined) {
    return (
      <>
        {failure ? <AskNote failure={failure} /> : null}
        {children(answer)}
      </>
    );
  }
  if (failure === undefined) return <Skeleton rows={rows} label={waiting} />;
  if (failed === undefined) return <p className="browser-note">{sentencesOf(failure)}</p>;
  const command = commandIn(failure.hint);
  return (
    <EmptyState title={failed} onType={typeCommand} {...(command === undefined ? {} : { command })}>
      <span role="status">{sentencesOf(command === undefined ? failure : { ...failure, hint: undefined })}</span>
    </EmptyState>
  );
}

/** Above something that is not of now. */
function AskNote({ failure }: { readonly failure: AskFailure }) {
  return (
    <p className="ask-note" role="status">
      This is how it was. {sentencesOf(failure)}
    </p>
  );
}

/** A hint that is a command can be typed with a click. */
function commandIn(hint = ''): string | undefined {
  return /^(docker pull|tail) \S+$/.test(hint) ? hint : undefined;
}

function sentencesOf({ message, hint, mayPass }: AskFailure): string {
  const why = `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`;
  return visible(
    [why, ...(hint === undefined ? [] : [`Try: ${hint}.`]), ...(mayPass ? ['It is asked again every few seconds.'] : [])].join(' '),
  );
}

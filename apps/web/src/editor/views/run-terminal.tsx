/**
 * The terminal of a run whose program wants one.
 *
 * Knows: one terminal, and what is said when its program has ended. Does not know: how it was opened (editor-actions.ts).
 */
'use client';
import { Skeleton } from '@slipway/ui';
import { lazy, Suspense, useRef, useState } from 'react';
import { useTerminals } from '../../state/stores.ts';
import { PasteQuestion } from '../../terminal/paste-question.tsx';
import type { TerminalHandle } from '../../terminal/terminal-view.tsx';

const TerminalView = lazy(() => import('../../terminal/terminal-view.tsx'));

export function RunTerminal({ id }: { readonly id: string }) {
  const handle = useRef<TerminalHandle | undefined>(undefined);
  const [question, setQuestion] = useState<string>();
  const status = useTerminals((state) => state.status.get(id));
  return (
    <section className="run-terminal" aria-label="Terminal of the run">
      <div className="terminal-body">
        <Suspense fallback={<Skeleton rows={3} label="Opening a terminal" />}>
          <TerminalView
            id={id}
            visible
            onReady={(ready) => {
              handle.current = ready;
              ready?.terminal.focus();
            }}
            onPasteQuestion={setQuestion}
            onSearch={() => undefined}
          />
        </Suspense>
      </div>
      <p className="run-terminal-state" role="status">
        {status?.exitCode === undefined
          ? 'The program has this terminal; Ctrl+C is the program’s.'
          : `The program ended with exit code ${status.exitCode}.`}
      </p>
      {question === undefined ? null : (
        <PasteQuestion
          text={question}
          onConfirm={() => {
            handle.current?.paste(question);
            handle.current?.terminal.focus();
          }}
          onClose={() => setQuestion(undefined)}
        />
      )}
    </section>
  );
}

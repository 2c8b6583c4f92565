/**
 * One operation of a birth, whole: call, arguments, who asked for it, why it exists, what became of it, and the lines of source.
 *
 * Knows: how an operation reads. Does not know: the birth around it.
 */
import type { OperationOutcome, PlannedOperation } from '@slipway/contracts';
import { formatDuration, visible } from '../base/format.ts';
import { callText, explain } from './explanations.ts';

export function OperationCard(props: {
  readonly operation: PlannedOperation;
  readonly outcome: OperationOutcome | undefined;
  readonly next: boolean;
}) {
  const { operation, outcome, next } = props;
  const { says, reference } = explain(operation.op);
  return (
    <article className="birth-card" aria-label={`Operation ${operation.op}`}>
      <header>
        <h3>
          <span className="num">{operation.index}</span> {operation.op}
        </h3>
        <p className={outcome?.errno ? 'birth-result bad' : 'birth-result'}>{resultText(outcome, next)}</p>
      </header>
      <code className="birth-call">{visible(callText(operation))}</code>
      <p className="birth-reason">
        {sentence(operation.reason)}{' '}
        {operation.pointer === '' ? (
          'The runtime itself needs it.'
        ) : (
          <>
            Asked for by <code>{visible(operation.pointer)}</code>.
          </>
        )}
      </p>
      <p className="birth-says">
        {says}{' '}
        <a href={reference[1]} target="_blank" rel="noreferrer" className="plain-link">
          {reference[0]}
        </a>
      </p>
      {operation.args.length > 0 ? (
        <details className="birth-args">
          <summary>
            {operation.args.length} argument{operation.args.length === 1 ? '' : 's'}, as planned
          </summary>
          <dl>
            {operation.args.map(({ name, value }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <code>{visible(value)}</code>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      ) : null}
      <dl className="birth-source">
        <div>
          <dt>planned at</dt>
          <dd>
            {operation.plannedAt.map((line) => (
              <SourceLine key={line} line={line} />
            ))}
          </dd>
        </div>
        {operation.performedAt === undefined ? null : (
          <div>
            <dt>performed at</dt>
            <dd>
              <SourceLine line={operation.performedAt} />
            </dd>
          </div>
        )}
      </dl>
    </article>
  );
}

/** The lines are this checkout's; the machine has the same files below /usr/lib/slipway. */
function SourceLine({ line }: { readonly line: string }) {
  return (
    <code className="birth-line" title="In the machine: /usr/lib/slipway/…">
      {line}
    </code>
  );
}

function resultText(outcome: OperationOutcome | undefined, next: boolean): string {
  if (outcome === undefined) return next ? 'next: not performed yet' : 'planned';
  if (outcome.skipped) return 'left out';
  const took = formatDuration(outcome.endMs - outcome.startMs);
  return outcome.errno === 0 ? `done in ${took}` : `${outcome.call ?? 'it'} failed with errno ${outcome.errno} after ${took}`;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

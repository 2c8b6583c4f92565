/**
 * One step of another runtime, whole: every call of it with its arguments and what it came to, and from where its subject is known.
 *
 * Knows: how recorded calls read. Does not know: what ours does instead.
 */
import type { TapedCall } from '@slipway/contracts';
import { formatDuration, visible } from '../base/format.ts';
import { callAsText, errnoOf } from './peer-call.ts';
import type { PeerStep } from './peer-steps.ts';

const SHOWN = 12;

export function PeerCard({ peer, step }: { readonly peer: string; readonly step: PeerStep }) {
  return (
    <article className="birth-card" aria-label={`Step ${step.number} of ${peer}`}>
      <header>
        <h3>
          <span className="num">{step.number}</span> {peer}: {step.calls[0]?.syscall}
        </h3>
        <p className="birth-result">process {step.calls[0]?.process} of its tree</p>
      </header>
      <ol className="peer-calls">
        {step.calls.slice(0, SHOWN).map((call, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: calls are one immutable list
          <li key={index}>
            <code>{visible(callAsText(call))}</code>{' '}
            <span className={errnoOf(call) ? 'peer-errno' : 'peer-result'}>{resultText(call)}</span>
          </li>
        ))}
      </ol>
      {step.calls.length > SHOWN ? <p className="explorer-hint">and {step.calls.length - SHOWN} more of the kind</p> : null}
      {step.note === undefined ? null : (
        <p className="birth-reason">
          {peer}’s own: {step.note}.
        </p>
      )}
      {step.from === undefined ? null : (
        <p className="birth-reason">
          About <code>{visible(step.object)}</code>: known from {step.from}.
        </p>
      )}
    </article>
  );
}

function resultText(call: TapedCall): string {
  const took = call.tookMs === undefined ? '' : ` in ${formatDuration(call.tookMs)}`;
  return `${errnoOf(call) ?? 'done'}${took}`;
}

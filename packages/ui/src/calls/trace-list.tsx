/**
 * The requests to choose from, newest first.
 *
 * Knows: summaries of traces. Does not know: their spans.
 */
import type { TraceSummary } from '@slipway/journal';
import type { CSSProperties } from 'react';
import { formatCount, formatDuration, visible } from '../base/format.ts';
import { actorKind } from '../base/kinds.ts';

const MOST = 100;

export function TraceList(props: {
  readonly traces: readonly TraceSummary[];
  readonly chosen: string | undefined;
  /** Why the request came: the command that was typed. */
  readonly causes: ReadonlyMap<string, string>;
  readonly onChoose: (trace: string) => void;
}) {
  return (
    <ul className="trace-list scroll" aria-label="Requests, newest first">
      {props.traces.slice(0, MOST).map((trace) => (
        <li key={trace.id}>
          <button
            type="button"
            className={`trace ${props.chosen === trace.id ? 'selected' : ''} ${trace.failed ? 'failed' : ''}`}
            style={{ '--kind': actorKind(trace.actor).color } as CSSProperties}
            aria-pressed={props.chosen === trace.id}
            onClick={() => props.onChoose(trace.id)}
          >
            <span className="trace-name">
              {visible(trace.actor === 'client' ? trace.name : (props.causes.get(trace.id) ?? trace.name))}
            </span>
            <span className="trace-facts num">
              {trace.failed ? 'failed · ' : ''}
              {trace.durationMs === undefined ? 'running' : formatDuration(trace.durationMs)} · {formatCount(trace.spans, 'hop')}
              {trace.containerName === undefined ? '' : ` · ${visible(trace.containerName)}`}
            </span>
          </button>
        </li>
      ))}
      {props.traces.length > MOST ? <li className="more">{props.traces.length - MOST} older ones: go back in time to see them</li> : null}
    </ul>
  );
}

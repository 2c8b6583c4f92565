/**
 * The requests to choose from, newest first.
 *
 * Knows: summaries of traces. Does not know: their spans.
 */
import type { TraceSummary } from '@slipway/journal';
import { type Choice, ChoiceList } from '../base/choice-list.tsx';
import { formatCount, formatDuration } from '../base/format.ts';
import { actorKind } from '../base/kinds.ts';

export function TraceList(props: {
  readonly traces: readonly TraceSummary[];
  readonly chosen: string | undefined;
  /** Why the request came: the command that was typed. */
  readonly causes: ReadonlyMap<string, string>;
  readonly onChoose: (trace: string) => void;
}) {
  const { traces, chosen, causes, onChoose } = props;
  const toChoice = (trace: TraceSummary): Choice => ({
    id: trace.id,
    name: trace.actor === 'client' ? trace.name : (causes.get(trace.id) ?? trace.name),
    facts: factsOf(trace),
    failed: trace.failed,
    color: actorKind(trace.actor).color,
  });
  return <ChoiceList label="Requests" all={traces} toChoice={toChoice} chosen={chosen} onChoose={onChoose} />;
}

function factsOf({ failed, durationMs, spans, containerName }: TraceSummary): string {
  return [
    ...(failed ? ['failed'] : []),
    durationMs === undefined ? 'running' : formatDuration(durationMs),
    formatCount(spans, 'hop'),
    ...(containerName === undefined ? [] : [containerName]),
  ].join(' · ');
}

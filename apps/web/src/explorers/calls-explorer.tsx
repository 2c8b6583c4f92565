/**
 * Explorer: every request, from the command down to each operation of a container's birth.
 *
 * Knows: traces of the journal, which one is meant. Does not know: how chains are drawn.
 */
'use client';
import { callChain, traces, type World } from '@slipway/journal';
import { CallText, EmptyState, Flame, Sequence, Switch, TraceList } from '@slipway/ui';
import { useMemo, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { SceneFrame, useScene } from './scene.tsx';
import { useSpanChoice } from './use-span-choice.ts';

const ABOUT =
  'One request on its way down: who called whom, by which protocol, and how long each hop took, to scale. The last hops are the launcher’s operations, each with the field of config.json that asked for it.';

export function CallsExplorer() {
  const { world, nowMs, as, container } = useScene();
  const [filter, setFilter] = useState('');
  const [shape, setShape] = useState<'sequence' | 'flame'>('sequence');
  const { selectedSpan, chosen, onChoose, onSelect } = useSpanChoice();
  const all = useMemo(() => traces(world).filter((trace) => !isOwnLook(trace)), [world]);
  const causes = useMemo(() => causesOf(world), [world]);
  const trace = traceOf(world, all, { selectedSpan, chosen, container });
  const open = all.find((entry) => entry.id === trace)?.durationMs === undefined;
  // A finished chain does not change with time: it is laid out once.
  const untilMs = open ? nowMs : undefined;
  const chain = useMemo(() => (trace === undefined ? undefined : callChain(world, trace, untilMs)), [world, trace, untilMs]);
  return (
    <SceneFrame
      title="Call chain"
      about={ABOUT}
      filter={filter}
      onFilter={setFilter}
      tools={
        as === 'text' ? undefined : (
          <Switch
            label="Drawn as"
            value={shape}
            onChange={setShape}
            options={[
              { value: 'sequence', label: 'Sequence' },
              { value: 'flame', label: 'Flame' },
            ]}
          />
        )
      }
    >
      {!chain ? (
        <EmptyState title="No request yet." command="docker ps" onType={typeCommand}>
          Whatever you ask the engine is shown here hop by hop.
        </EmptyState>
      ) : (
        <div className="calls">
          <TraceList traces={all} chosen={trace} causes={causes} onChoose={onChoose} />
          {as === 'text' ? (
            <CallText chain={chain} selected={selectedSpan} filter={filter} onSelect={onSelect} />
          ) : shape === 'flame' ? (
            <Flame chain={chain} selected={selectedSpan} onSelect={onSelect} />
          ) : (
            <Sequence chain={chain} selected={selectedSpan} filter={filter} onSelect={onSelect} />
          )}
        </div>
      )}
    </SceneFrame>
  );
}

/** What this page asked for its pictures: in the journal as everything is, but nothing that the learner did. */
function isOwnLook({ actor, name }: ReturnType<typeof traces>[number]): boolean {
  return actor === 'client' && name === 'workbench';
}

/** The selected hop's request, else the one chosen, else the birth of the selected container, else the latest that changed something. */
function traceOf(
  world: World,
  all: ReturnType<typeof traces>,
  wanted: { readonly selectedSpan: string | undefined; readonly chosen: string | undefined; readonly container: string | undefined },
): string | undefined {
  const { selectedSpan, chosen, container } = wanted;
  if (selectedSpan !== undefined) {
    const holder = world.traces.find((trace) => trace.spans.some((span) => span.id === selectedSpan));
    if (holder) return holder.id;
  }
  if (chosen !== undefined && all.some((trace) => trace.id === chosen)) return chosen;
  const mine = container === undefined ? [] : all.filter((trace) => trace.container === container);
  const birth = mine.find((trace) => trace.operations > 0) ?? mine[0] ?? all.find((trace) => trace.operations > 0);
  return (birth ?? all[0])?.id;
}

/** Trace → the command line that caused it, as far as the journal can tell. */
function causesOf(world: World): ReadonlyMap<string, string> {
  const causes = [world.lastCause, ...world.containers.flatMap((entry) => [entry.appearedBy, entry.goneBy])];
  return new Map(
    causes.flatMap((cause) => (cause?.kind === 'command' && cause.trace !== undefined ? [[cause.trace, cause.label] as const] : [])),
  );
}

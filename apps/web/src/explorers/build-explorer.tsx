/**
 * Explorer: builds as graphs of stages and steps.
 *
 * Knows: builds of the journal, which one is meant. Does not know: how they are drawn.
 */
'use client';
import { builds } from '@slipway/journal';
import { EmptyState } from '@slipway/ui';
import { BuildPicture, BuildText, type BuildViewProps } from '@slipway/ui/store';
import { useMemo, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { select, useMoment } from '../state/stores.ts';
import { SceneFrame, useScene } from './scene.tsx';

const ABOUT =
  'A Dockerfile’s stages, each after what it needs; stages that do not need each other run at the same time. A step is taken from the cache when everything that went into it is as it was; else the row says what was not.';

export default function BuildExplorer() {
  const { world, nowMs, selection, as } = useScene();
  const zeroMs = useMoment((state) => state.startMs);
  const [filter, setFilter] = useState('');
  const [chosen, setChosen] = useState<string>();
  const all = useMemo(() => builds(world, nowMs), [world, nowMs]);
  const selectedSpan = selection?.kind === 'span' ? selection.id : undefined;
  const holder = all.find(({ stages }) =>
    stages.some(({ steps }) => steps.some(({ span }) => span !== undefined && span === selectedSpan)),
  );
  const shown = holder ?? all.find(({ id }) => id === chosen) ?? all[0];
  const view: BuildViewProps | undefined = shown && {
    builds: all,
    chosen: shown,
    zeroMs,
    filter,
    selectedSpan,
    onChoose: (id) => {
      setChosen(id);
      if (selectedSpan !== undefined) select(undefined);
    },
    onSelect: (id) => select({ kind: 'span', id }),
  };
  return (
    <SceneFrame title="Build graph" about={ABOUT} filter={filter} onFilter={setFilter}>
      {view === undefined ? (
        <EmptyState
          title="Nothing was built yet."
          command="mkdir -p /tmp/hello; printf 'FROM busybox\nRUN echo hello > /hello\n' > /tmp/hello/Dockerfile; docker build -t hello-again /tmp/hello"
          onType={typeCommand}
        >
          Stages, steps and what the cache had of them appear here.
        </EmptyState>
      ) : as === 'text' ? (
        <BuildText {...view} />
      ) : (
        <BuildPicture {...view} />
      )}
    </SceneFrame>
  );
}

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
import { useMoment } from '../state/stores.ts';
import { SceneFrame, useScene } from './scene.tsx';
import { shownOf, useSpanChoice } from './use-span-choice.ts';

const ABOUT =
  'A Dockerfile’s stages, each after what it needs; stages that do not need each other run at the same time. A step is taken from the cache when everything that went into it is as it was; else the row says what was not.';

export default function BuildExplorer() {
  const { world, nowMs, as } = useScene();
  const zeroMs = useMoment((state) => state.startMs);
  const [filter, setFilter] = useState('');
  const all = useMemo(() => builds(world, nowMs), [world, nowMs]);
  const choice = useSpanChoice();
  const shown = shownOf(all, choice, ({ stages }, id) => stages.some(({ steps }) => steps.some(({ span }) => span === id)));
  const view: BuildViewProps | undefined = shown && { ...choice, builds: all, chosen: shown, zeroMs, filter };
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

/**
 * Explorer: pulls and pushes over time.
 *
 * Knows: transfers of the journal, which one is meant. Does not know: how they are drawn.
 */
'use client';
import { transfers } from '@slipway/journal';
import { EmptyState } from '@slipway/ui';
import { TransferPicture, TransferText, type TransferViewProps } from '@slipway/ui/store';
import { useMemo, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { useMoment } from '../state/stores.ts';
import { SceneFrame, useScene } from './scene.tsx';
import { shownOf, useSpanChoice } from './use-span-choice.ts';

const ABOUT =
  'A pull is a manifest and then its layers, fetched side by side and unpacked in order, the lowest first. Each row is one layer over time; the hill inside a bar is how many of its bytes are here. What is here already, or was left by a pull that was interrupted, does not travel again.';

export default function PullExplorer() {
  const { world, nowMs, as } = useScene();
  const zeroMs = useMoment((state) => state.startMs);
  const [filter, setFilter] = useState('');
  const all = useMemo(() => transfers(world, nowMs), [world, nowMs]);
  const choice = useSpanChoice();
  const shown = shownOf(all, choice, ({ layers }, id) =>
    layers.some(({ move, unpack, fill }) => [move?.span, unpack?.span, fill?.span].includes(id)),
  );
  const view: TransferViewProps | undefined = shown && { ...choice, transfers: all, chosen: shown, nowMs, zeroMs, filter };
  return (
    <SceneFrame title="Pull timeline" about={ABOUT} filter={filter} onFilter={setFilter}>
      {view === undefined ? (
        <EmptyState title="Nothing was pulled or pushed yet." command="docker pull layers-demo" onType={typeCommand}>
          The machine’s own registry has the lessons’ images, so this works without a network.
        </EmptyState>
      ) : as === 'text' ? (
        <TransferText {...view} />
      ) : (
        <TransferPicture {...view} />
      )}
    </SceneFrame>
  );
}

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
import { select, useMoment } from '../state/stores.ts';
import { SceneFrame, useScene } from './scene.tsx';

const ABOUT =
  'A pull is a manifest and then its layers, fetched side by side and unpacked in order, the lowest first. Each row is one layer over time; the hill inside a bar is how many of its bytes are here. What is here already, or was left by a pull that was interrupted, does not travel again.';

export default function PullExplorer() {
  const { world, nowMs, selection, as } = useScene();
  const zeroMs = useMoment((state) => state.startMs);
  const [filter, setFilter] = useState('');
  const [chosen, setChosen] = useState<string>();
  const all = useMemo(() => transfers(world, nowMs), [world, nowMs]);
  const selectedSpan = selection?.kind === 'span' ? selection.id : undefined;
  const holder = all.find(({ layers }) =>
    layers.some(({ move, unpack }) => selectedSpan !== undefined && [move?.span, unpack?.span].includes(selectedSpan)),
  );
  const shown = holder ?? all.find(({ id }) => id === chosen) ?? all[0];
  const view: TransferViewProps | undefined = shown && {
    transfers: all,
    chosen: shown,
    nowMs,
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

/**
 * What every explorer needs: the world at the shown moment, the shared selection, and the frame around the picture.
 *
 * Knows: the stores. Does not know: any picture.
 */
'use client';
import { containerOf, ExplorerFrame, type Selection, Skeleton } from '@slipway/ui';
import { type ReactNode, useMemo } from 'react';
import { select, useMoment, useSession, useView } from '../state/stores.ts';

/** The world, when it is, and what of it is selected. */
export function useScene() {
  const world = useMoment((state) => state.world);
  const nowMs = useMoment((state) => state.atMs);
  const selection = useView((state) => state.selection);
  const as = useView((state) => state.as);
  const container = useMemo(() => containerOf(world, selection), [world, selection]);
  return { world, nowMs, selection, as, container, onSelect: select as (selection: Selection) => void };
}

export interface SceneFrameProps {
  readonly title: string;
  readonly about: string;
  readonly filter?: string;
  readonly onFilter?: (filter: string) => void;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

/** Whether nothing comes from the machine at this moment. */
export function useStale(): boolean {
  return useSession((state) => state.connection.phase !== 'live');
}

/** The frame of what is asked of the machine as it is now, whatever moment the other pictures show. */
export function NowFrame({ children, ...rest }: SceneFrameProps) {
  const as = useView((state) => state.as);
  const machine = useMoment((state) => state.world.machine);
  const facts = machine ? [`kernel ${machine.kernel}`, machine.engine] : [];
  return (
    <ExplorerFrame
      {...rest}
      provenance="live"
      provenanceFacts={facts}
      stale={useStale()}
      as={as}
      onAs={(next) => useView.setState({ as: next })}
    >
      {children}
    </ExplorerFrame>
  );
}

/** The frame with everything that is the same for all explorers filled in; until the first event it waits. */
export function SceneFrame({ children, ...rest }: SceneFrameProps) {
  const as = useView((state) => state.as);
  const provenance = useMoment((state) => state.provenance);
  const machine = useMoment((state) => state.world.machine);
  const waiting = useMoment((state) => state.length === 0);
  const facts = machine ? [`kernel ${machine.kernel}`, `cgroups ${machine.cgroupMode}`, machine.engine] : [];
  return (
    <ExplorerFrame
      {...rest}
      provenance={provenance}
      provenanceFacts={facts}
      stale={useStale()}
      as={as}
      onAs={(next) => useView.setState({ as: next })}
    >
      {waiting ? <Skeleton rows={7} label="Waiting for the machine" /> : children}
    </ExplorerFrame>
  );
}

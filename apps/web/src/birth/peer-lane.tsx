/**
 * runc's birth beside ours, of the same document: two lanes joined where they do the same job, and the selected job in both.
 *
 * Knows: when a recording is missing or of another document. Does not know: how jobs are told from calls (@slipway/ui/birth).
 */
'use client';
import { Button, Skeleton, visible } from '@slipway/ui';
import { type JoinedRow, joinBirths, OperationCard, PeerCard, PeerLanes, PeerText, peerSteps } from '@slipway/ui/birth';
import { useEffect, useMemo, useState } from 'react';
import type { BirthStore } from './birth-store.ts';
import { recordPeer, usePeer } from './peer-store.ts';

const PEER = 'runc';

export interface PeerLaneProps {
  /** Ours, whose document runc gets. */
  readonly birth: BirthStore;
  readonly as: 'picture' | 'text';
  readonly filter: string;
}

export function PeerLane({ birth, as, filter }: PeerLaneProps) {
  const { image, config, operations, issues } = birth.use();
  const peer = usePeer();
  const usable = config !== '' && issues.length === 0;
  useEffect(() => {
    if (usable && usePeer.getState().config !== config) void recordPeer(image, config);
  }, [usable, image, config]);
  const recorded = peer.birth;
  const steps = useMemo(() => (recorded === undefined ? [] : peerSteps(recorded.calls, recorded.process)), [recorded]);
  const rows = useMemo(() => joinBirths(operations, steps, recorded?.process), [operations, steps, recorded]);
  const problem = issues.length > 0 ? 'the document cannot be performed' : (peer.problem ?? recorded?.failure?.message);
  return (
    <section className="birth-lane" aria-label={`Ours and ${PEER}`}>
      <div className="peer-about">
        <Button icon="play" disabled={!usable || peer.busy} onClick={() => void recordPeer(image, config)}>
          Record again
        </Button>
        <p role="status">{peer.busy ? `${PEER} makes the container, and the kernel records it …` : <Told rows={rows} />}</p>
      </div>
      {problem === undefined ? null : (
        <p className="birth-problem" role="alert">
          {visible(problem)}
        </p>
      )}
      {steps.length > 0 ? <Joined birth={birth} rows={rows} as={as} filter={filter} /> : null}
      {peer.busy ? <Skeleton rows={9} label={`${PEER} is recorded`} /> : null}
    </section>
  );
}

/** What was recorded, in numbers, and what a recording cannot show. */
function Told({ rows }: { readonly rows: readonly JoinedRow[] }) {
  const recorded = usePeer((state) => state.birth);
  if (recorded === undefined || recorded.calls.length === 0) return null;
  const ours = rows.filter((row) => row.ours.length > 0);
  const joined = ours.filter((row) => row.theirs.length > 0);
  return (
    <>
      {visible(recorded.version)}: {recorded.calls.length} system calls recorded. {joined.length} of our {ours.length} operations have their
      counterpart. In a call <code>…</code> stands for an address: the kernel’s events do not say what is there.
      {recorded.truncated ? ' The recording is not whole: there were more calls than could be kept.' : ''}
    </>
  );
}

function Joined({ birth, rows, as, filter }: PeerLaneProps & { readonly rows: readonly JoinedRow[] }) {
  const [selected, setSelected] = useState<string>();
  const row = rows.find(({ key }) => key === selected);
  const list = { peer: PEER, rows, selected, filter, onSelect: setSelected };
  return (
    <div className="birth-body peer-body">
      {as === 'text' ? <PeerText {...list} /> : <PeerLanes {...list} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
      <section className="birth-detail scroll" tabIndex={0} aria-label="Details of the operation">
        {row === undefined ? (
          <p className="birth-intro">
            Both made a container of the same document. Rows stand in our order; {PEER}’s steps have the numbers of their own order, so you
            see what it does earlier or later. Choose a row to see both sides whole.
          </p>
        ) : (
          <Job birth={birth} row={row} />
        )}
      </section>
    </div>
  );
}

function Job({ birth, row }: { readonly birth: BirthStore; readonly row: JoinedRow }) {
  const { view } = birth.use();
  return (
    <>
      {row.ours.map((operation) => (
        <OperationCard
          key={operation.index}
          operation={operation}
          outcome={view?.outcomes.find(({ index }) => index === operation.index)}
          next={view?.at === operation.index}
        />
      ))}
      {row.theirs.map((step) => (
        <PeerCard key={step.number} peer={PEER} step={step} />
      ))}
      {row.instead === undefined ? null : (
        <p className="birth-last">
          {PEER}: {visible(row.instead)}.
        </p>
      )}
    </>
  );
}

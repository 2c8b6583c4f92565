/**
 * Explorer: a container's birth under the learner's hands, operation by operation, and a second one beside it if wanted.
 *
 * Knows: the two births of this page, and that both end with the connection. Does not know: how one is driven or drawn.
 */
'use client';
import { Button, ExplorerFrame } from '@slipway/ui';
import { useEffect, useState } from 'react';
import { BirthLane } from '../birth/birth-lane.tsx';
import { BirthStore } from '../birth/birth-store.ts';
import { orToast } from '../state/lab.ts';
import { useMoment, useSession, useView } from '../state/stores.ts';

const ABOUT =
  'Our runtime turns a config.json into a list of operations and performs them one by one; here it stops before each one that you choose. What stands still is a real process of your machine, half-born: look at it, enter it, leave something out.';

const first = new BirthStore('first');
const second = new BirthStore('second');

export default function BirthExplorer() {
  const as = useView((state) => state.as);
  const machine = useMoment((state) => state.world.machine);
  const live = useSession((state) => state.connection.phase === 'live' && state.machine?.state === 'ready');
  const [filter, setFilter] = useState('');
  const [beside, setBeside] = useState(false);
  useEffect(() => {
    if (live) void first.open();
    for (const birth of [first, second]) if (!live) birth.lost();
  }, [live]);
  const toggleBeside = () => {
    setBeside(!beside);
    if (beside) void orToast(second.end());
    else void orToast(second.open());
  };
  return (
    <ExplorerFrame
      title="Birth"
      about={ABOUT}
      provenance="live"
      provenanceFacts={machine ? [`kernel ${machine.kernel}`, `cgroups ${machine.cgroupMode}`, machine.engine] : []}
      as={as}
      onAs={(next) => useView.setState({ as: next })}
      filter={filter}
      onFilter={setFilter}
      tools={
        <Button tone="quiet" aria-pressed={beside} onClick={toggleBeside}>
          {beside ? 'Only one birth' : 'A second beside it'}
        </Button>
      }
    >
      <div className={beside ? 'birth-lanes two' : 'birth-lanes'}>
        <BirthLane birth={first} title="First birth" as={as} filter={filter} />
        {beside ? <BirthLane birth={second} title="Second birth" as={as} filter={filter} /> : null}
      </div>
    </ExplorerFrame>
  );
}

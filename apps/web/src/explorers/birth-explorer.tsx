/**
 * Explorer: a container's birth under the learner's hands, operation by operation, and beside it a second one, or runc's of the same document.
 *
 * Knows: the births of this page, and that they end with the connection. Does not know: how one is driven or drawn.
 */
'use client';
import { ExplorerFrame, Switch } from '@slipway/ui';
import { useEffect, useState } from 'react';
import { BirthLane } from '../birth/birth-lane.tsx';
import { firstBirth as first, secondBirth as second } from '../birth/births.ts';
import { PeerLane } from '../birth/peer-lane.tsx';
import { orToast } from '../state/lab.ts';
import { useMoment, useSession, useView } from '../state/stores.ts';

const ABOUT =
  'Our runtime turns a config.json into a list of operations and performs them one by one; here it stops before each one that you choose. What stands still is a real process of your machine, half-born: look at it, enter it, leave something out.';

type Beside = 'nothing' | 'second' | 'runc';

export default function BirthExplorer() {
  const as = useView((state) => state.as);
  const machine = useMoment((state) => state.world.machine);
  const live = useSession((state) => state.connection.phase === 'live' && state.machine?.state === 'ready');
  const [filter, setFilter] = useState('');
  const [beside, setBeside] = useState<Beside>('nothing');
  useEffect(() => {
    if (live) void first.open();
    for (const birth of [first, second]) if (!live) birth.lost();
  }, [live]);
  const showBeside = (next: Beside) => {
    setBeside(next);
    if (next === 'second') void orToast(second.open());
    else if (beside === 'second') void orToast(second.end());
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
        <Switch
          label="Beside it"
          value={beside}
          onChange={showBeside}
          options={[
            { value: 'nothing', label: 'one birth' },
            { value: 'second', label: 'a second beside it' },
            { value: 'runc', label: 'runc’s beside it' },
          ]}
        />
      }
    >
      <div className={beside === 'second' ? 'birth-lanes two' : 'birth-lanes'}>
        {beside === 'runc' ? (
          <PeerLane birth={first} as={as} filter={filter} />
        ) : (
          <BirthLane birth={first} title="First birth" as={as} filter={filter} />
        )}
        {beside === 'second' ? <BirthLane birth={second} title="Second birth" as={as} filter={filter} /> : null}
      </div>
    </ExplorerFrame>
  );
}

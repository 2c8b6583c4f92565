/**
 * Explorer: what images and containers take on the machine's disk, engine by engine.
 *
 * Knows: the journal's facts about disks. Does not know: how bytes are drawn.
 */
'use client';
import { EmptyState } from '@slipway/ui';
import { DiskPicture, DiskText } from '@slipway/ui/store';
import { useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { SceneFrame, useScene } from './scene.tsx';

const ABOUT =
  'Blocks on the disk, counted, not sizes that documents tell. With overlay, an image’s layers are there once and each container adds what it writes; the native snapshotter makes a whole copy for each container: start a second engine with it (slipwayd --config /etc/slipway/native.toml) to see both.';

export default function DiskExplorer() {
  const { world, nowMs, as, container, onSelect } = useScene();
  const [filter, setFilter] = useState('');
  const { disks } = world;
  const view = { disks, nowMs, filter, container, onSelect };
  return (
    <SceneFrame title="Disk" about={ABOUT} filter={filter} onFilter={setFilter}>
      {disks.length === 0 ? (
        <EmptyState title="The engine has not measured its disk yet." command="du -sh /var/lib/slipway" onType={typeCommand}>
          It does so soon after it has started, and again whenever something changed.
        </EmptyState>
      ) : as === 'text' ? (
        <DiskText {...view} />
      ) : (
        <DiskPicture {...view} />
      )}
    </SceneFrame>
  );
}

/**
 * Explorer: what each control group uses, where its limits are, and a cockpit for the chosen one.
 *
 * Knows: cgroup rows of the journal. Does not know: how gauges and handles are drawn.
 */
'use client';
import { cgroupRows } from '@slipway/journal';
import { CgroupCockpit, CgroupPicture, CgroupText, EmptyState } from '@slipway/ui';
import { useMemo, useState } from 'react';
import { runCommand, typeCommand } from '../state/lab.ts';
import { SceneFrame, useScene } from './scene.tsx';

const ABOUT =
  'A control group is a directory of files: the kernel counts in some of them, and obeys limits written into others. Each line is the last minute; the dashed line is the limit, where there is one in sight. Choose a group: its limits become handles that you can drag.';

export function CgroupsExplorer() {
  const { world, nowMs, as, container, onSelect } = useScene();
  const [filter, setFilter] = useState('');
  const [path, setPath] = useState<string>();
  const wanted = filter.trim().toLowerCase();
  const all = useMemo(() => cgroupRows(world, nowMs), [world, nowMs]);
  const rows = useMemo(
    () => (wanted === '' ? all : all.filter((row) => `${row.path} ${row.containerName ?? ''}`.toLowerCase().includes(wanted))),
    [all, wanted],
  );
  const chosen = all.find((row) => (container === undefined ? row.path === path : row.sample.container === container));
  const view = { rows, nowMs, container, onSelect, path, onSelectPath: setPath };
  return (
    <SceneFrame title="cgroups" about={ABOUT} filter={filter} onFilter={setFilter}>
      {rows.length === 0 ? (
        <EmptyState
          title={wanted === '' ? 'No control group was sampled yet.' : 'No control group matches the filter.'}
          command="ls /sys/fs/cgroup"
          onType={typeCommand}
        />
      ) : as === 'text' ? (
        <CgroupText {...view} />
      ) : (
        <CgroupPicture {...view} />
      )}
      {chosen && chosen.mark?.change !== 'gone' ? (
        <CgroupCockpit
          key={chosen.path}
          row={chosen}
          machine={all.find((row) => row.path === '/')?.sample}
          directories={world.containers.find((entry) => entry.fact.id === chosen.sample.container)?.fact.cgroups}
          onRun={runCommand}
          onType={typeCommand}
        />
      ) : null}
    </SceneFrame>
  );
}

/**
 * Explorer: every process of the machine, as the kernel nests them.
 *
 * Knows: the process tree of the journal. Does not know: how it is drawn (@slipway/ui).
 */
'use client';
import { processTree } from '@slipway/journal';
import { EmptyState, layoutProcesses, ProcessPicture, ProcessText } from '@slipway/ui';
import { useMemo, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { SceneFrame, useScene } from './scene.tsx';

const ABOUT =
  'Every process of your machine, each below the one that started it; a container is the dashed enclosure around its processes. The letters on the right are kinds of namespaces: filled where the process has its own, hollow where it shares the machine’s.';

export function ProcessesExplorer() {
  const { world, nowMs, selection, as, container, onSelect } = useScene();
  const [filter, setFilter] = useState('');
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map());
  const layout = useMemo(() => layoutProcesses(processTree(world, nowMs), { folds, filter }), [world, nowMs, folds, filter]);
  const inContainers = layout.total > 0 && world.containers.some((entry) => entry.goneAtMs === undefined && entry.fact.pid !== undefined);
  return (
    <SceneFrame title="Processes" about={ABOUT} filter={filter} onFilter={setFilter}>
      {layout.rows.length === 0 && filter !== '' ? (
        <EmptyState title="No process matches the filter." />
      ) : as === 'text' ? (
        <ProcessText layout={layout} selection={selection} onSelect={onSelect} />
      ) : (
        <ProcessPicture
          layout={layout}
          selection={selection}
          container={container}
          onSelect={onSelect}
          onFold={(key, folded) => setFolds((before) => new Map(before).set(key, folded))}
        />
      )}
      {!inContainers && filter === '' ? (
        <p className="explorer-hint">
          No container runs yet. Try{' '}
          <button type="button" className="inline-command" onClick={() => typeCommand('docker run -d --name web busybox sleep 300')}>
            docker run -d --name web busybox sleep 300
          </button>
        </p>
      ) : null}
      {world.processesTruncated ? (
        <p className="explorer-hint warn">There are more processes than the journal holds; this picture is not whole.</p>
      ) : null}
    </SceneFrame>
  );
}

/**
 * Explorer: which process sees which world of its own.
 *
 * Knows: namespace sets of the journal; one subject, or the matrix of all. Does not know: how they are drawn.
 */
'use client';
import { containerNames, type NamespaceSet, namespaceSets, type ProcessNode, processRows, processTree } from '@slipway/journal';
import {
  EmptyState,
  kindRows,
  NamespaceMatrix,
  NamespacePicture,
  NamespaceText,
  processesByKey,
  Switch,
  subjectOf,
  subjectsOf,
} from '@slipway/ui';
import { type ReactNode, useMemo, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { SceneFrame, useScene } from './scene.tsx';

const ABOUT =
  'A namespace decides what a process can see of one kind of thing; the kernel names each by an inode number. Two processes with the same number share it: then it is one enclosure, else each has its own.';

/** Who is in which namespace: only the views that show it pay for finding out. */
function Sets(props: { readonly children: (sets: readonly NamespaceSet[], members: ReadonlyMap<string, ProcessNode>) => ReactNode }) {
  const { world, nowMs } = useScene();
  const sets = useMemo(() => namespaceSets(world, nowMs), [world, nowMs]);
  const members = useMemo(() => processesByKey(processRows(processTree(world, nowMs))), [world, nowMs]);
  return props.children(sets, members);
}

export function NamespacesExplorer() {
  const { world, selection, as, container, onSelect } = useScene();
  const [view, setView] = useState<'one' | 'all'>();
  const [filter, setFilter] = useState('');
  const wanted = filter.trim().toLowerCase();
  const subjects = useMemo(() => subjectsOf(world).filter((entry) => entry.label.toLowerCase().includes(wanted)), [world, wanted]);
  const subject = useMemo(() => subjectOf(world, selection, container) ?? subjects.at(-1), [world, selection, container, subjects]);
  const shown = view ?? (subjects.length > 1 && selection === undefined ? 'all' : 'one');
  return (
    <SceneFrame
      title="Namespaces"
      about={ABOUT}
      filter={filter}
      onFilter={setFilter}
      tools={
        as === 'text' ? undefined : (
          <Switch
            label="How many"
            value={shown}
            onChange={setView}
            options={[
              { value: 'one', label: 'One container' },
              { value: 'all', label: 'All' },
            ]}
          />
        )
      }
    >
      {as === 'text' ? (
        <Sets>
          {(sets, members) => (
            <NamespaceText
              sets={sets.filter((set) => wanted === '' || `${set.kind} ${set.inode}`.includes(wanted))}
              names={containerNames(world)}
              members={members}
              selection={selection}
              onSelect={onSelect}
            />
          )}
        </Sets>
      ) : !subject ? (
        <EmptyState
          title={filter === '' ? 'Everything shares the machine’s namespaces.' : 'Nothing matches the filter.'}
          command={filter === '' ? 'docker run -d --name web busybox sleep 300' : 'lsns'}
          onType={typeCommand}
        >
          A container gets some of its own; so does any process that asks with unshare.
        </EmptyState>
      ) : shown === 'one' ? (
        <Sets>
          {(sets, members) => (
            <NamespacePicture
              subject={subject}
              rows={kindRows(subject, world, sets)}
              members={members}
              selection={selection}
              onSelect={onSelect}
            />
          )}
        </Sets>
      ) : (
        <NamespaceMatrix world={world} subjects={subjects} container={container} selection={selection} onSelect={onSelect} />
      )}
    </SceneFrame>
  );
}

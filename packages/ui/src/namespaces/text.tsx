/**
 * The text twin of the namespace explorer: every namespace with its members.
 *
 * Knows: sets of the journal. Does not know: enclosures.
 */
import type { NamespaceSet, ProcessNode } from '@slipway/journal';
import { formatCount, visible } from '../base/format.ts';
import { namespaceKind } from '../base/kinds.ts';
import { markText } from '../base/mark-note.tsx';
import type { Selection } from '../base/selection.ts';
import { DataTable } from '../base/table.tsx';

const OWNERS = { machine: 'the machine', container: 'container', other: 'a process outside of containers' } as const;

export function NamespaceText(props: {
  readonly sets: readonly NamespaceSet[];
  readonly names: ReadonlyMap<string, string>;
  readonly members: ReadonlyMap<string, ProcessNode>;
  readonly selection: Selection | undefined;
  readonly onSelect: (selection: Selection) => void;
}) {
  const { sets, names, members, selection } = props;
  return (
    <DataTable
      caption="Namespaces: the machine’s own first"
      columns={['kind', 'inode', 'whose', 'shared', 'members', 'isolates', 'change']}
      rows={sets.map((set) => ({
        key: set.key,
        selected: selection?.kind === 'namespace' && selection.name === set.kind && selection.inode === set.inode,
        onSelect: () => props.onSelect({ kind: 'namespace', name: set.kind, inode: set.inode }),
        cells: [
          namespaceKind(set.kind).title,
          set.inode,
          set.owner === 'container' ? set.containers.map((id) => visible(names.get(id) ?? id)).join(', ') : OWNERS[set.owner],
          set.shared ? 'yes' : 'no',
          `${formatCount(set.members.length, 'process', 'processes')}: ${set.members
            .slice(0, 4)
            .map((key) => members.get(key))
            .flatMap((node) => (node ? `${visible(node.fact.comm)} ${node.fact.pid}` : []))
            .join(', ')}`,
          namespaceKind(set.kind).isolates,
          set.mark ? markText(set.mark) : '',
        ],
      }))}
    />
  );
}

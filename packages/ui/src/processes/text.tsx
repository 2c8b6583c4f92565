/**
 * The text twin of the process tree: one table row a process.
 *
 * Knows: the same layout and selection as the picture. Does not know: pixels.
 */
import { visible } from '../base/format.ts';
import { NAMESPACE_KINDS } from '../base/kinds.ts';
import { markText } from '../base/mark-note.tsx';
import { type Selection, sameSelection } from '../base/selection.ts';
import { DataTable } from '../base/table.tsx';
import type { ProcessLayout } from './layout.ts';
import { commandText, processSelection, roleText } from './picture.tsx';

export function ProcessText(props: {
  readonly layout: ProcessLayout;
  readonly selection: Selection | undefined;
  readonly onSelect: (selection: Selection) => void;
}) {
  return (
    <DataTable
      caption="Processes of the machine, parents before children"
      columns={['pid', 'parent', 'inside', 'command', 'what it is', 'container', 'own namespaces', 'change']}
      rows={props.layout.rows.map((row) => {
        const { fact, containerName, mark } = row.node;
        const selection = processSelection(row.node);
        return {
          key: row.key,
          selected: sameSelection(props.selection, selection),
          onSelect: () => props.onSelect(selection),
          cells: [
            fact.pid,
            fact.ppid,
            fact.innerPid ?? '',
            `${'\u2003'.repeat(row.depth)}${commandText(row.node)}`,
            roleText(row),
            visible(containerName ?? ''),
            NAMESPACE_KINDS.filter((kind) => row.own.has(kind.name))
              .map((kind) => kind.title)
              .join(', '),
            mark ? markText(mark) : '',
          ],
        };
      })}
    />
  );
}

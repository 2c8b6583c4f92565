/**
 * The text twin of a birth: one table row an operation; the same keys and selection as the picture.
 *
 * Knows: operations and outcomes. Does not know: the process (its facts are text already).
 */
import type { OperationOutcome, PlannedOperation } from '@slipway/contracts';
import { formatDuration, visible } from '../base/format.ts';
import { DataTable } from '../base/table.tsx';
import { callText } from './explanations.ts';

export function BirthText(props: {
  readonly operations: readonly PlannedOperation[];
  readonly outcomes: ReadonlyMap<number, OperationOutcome>;
  readonly at: number | undefined;
  readonly breakpoints: ReadonlySet<number>;
  readonly selected: number | undefined;
  readonly filter: string;
  readonly onSelect: (index: number) => void;
}) {
  const wanted = props.filter.trim().toLowerCase();
  const rows = props.operations.filter(({ op, pointer }) => `${op} ${pointer}`.toLowerCase().includes(wanted));
  return (
    <DataTable
      caption="Operations of the birth, in order"
      columns={['', 'phase', 'operation', 'system call', 'field of config.json', 'result']}
      rows={rows.map((operation) => ({
        key: String(operation.index),
        selected: props.selected === operation.index,
        onSelect: () => props.onSelect(operation.index),
        cells: [
          `${props.breakpoints.has(operation.index) ? '● stop ' : ''}${props.at === operation.index ? '▸ next' : ''}`,
          operation.phase,
          operation.op,
          visible(callText(operation)),
          visible(operation.pointer),
          told(props.outcomes.get(operation.index)),
        ],
      }))}
    />
  );
}

function told(outcome: OperationOutcome | undefined): string {
  if (outcome === undefined) return '';
  if (outcome.skipped) return 'left out';
  return outcome.errno === 0 ? `done, ${formatDuration(outcome.endMs - outcome.startMs)}` : `errno ${outcome.errno}`;
}

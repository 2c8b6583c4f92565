/**
 * The text twin of the call chain: one table row a hop.
 *
 * Knows: rows of the chain. Does not know: payloads (the evidence shows them).
 */
import type { CallChain } from '@slipway/journal';
import { formatDuration, visible } from '../base/format.ts';
import { actorKind } from '../base/kinds.ts';
import { DataTable } from '../base/table.tsx';
import { sequenceRows } from './layout.ts';

export function CallText(props: {
  readonly chain: CallChain;
  readonly selected: string | undefined;
  readonly filter: string;
  readonly onSelect: (span: string) => void;
}) {
  const ids = new Set(props.chain.rows.map((row) => row.span.id));
  return (
    <DataTable
      caption="Hops of this request, callers before called"
      columns={['who', 'what', 'by', 'after', 'took', 'field of config.json', 'result']}
      rows={sequenceRows(props.chain, ids, props.filter).flatMap((entry) => {
        if (entry.kind !== 'call') return [];
        const { row } = entry;
        const { span } = row;
        return [
          {
            key: span.id,
            selected: props.selected === span.id,
            onSelect: () => props.onSelect(span.id),
            cells: [
              actorKind(span.actor).title,
              `${'\u2003'.repeat(row.depth)}${visible(span.name)}`,
              visible(span.protocol ?? ''),
              formatDuration(row.offsetMs),
              row.open ? 'running' : formatDuration(row.durationMs),
              span.operation ? visible(span.operation.pointer) : '',
              span.error ? visible(span.error.message) : row.open ? '' : 'done',
            ],
          },
        ];
      })}
    />
  );
}

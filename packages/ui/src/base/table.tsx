/**
 * A table whose rows can be selected by mouse and keyboard: the text twin of every picture.
 *
 * Knows: rows, arrow keys. Does not know: what the rows mean.
 */
import { type KeyboardEvent, memo, type ReactNode, useRef } from 'react';
import { useVisibleRows } from './windowed.ts';

export interface TableRow {
  readonly key: string;
  readonly selected: boolean;
  readonly onSelect: () => void;
  readonly cells: readonly ReactNode[];
}

const ROW_HEIGHT = 28;

export const DataTable = memo(function DataTable(props: {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
}) {
  const box = useRef<HTMLDivElement>(null);
  const range = useVisibleRows(box, ROW_HEIGHT, props.rows.length);
  const anySelected = props.rows.some((row) => row.selected);
  return (
    <div ref={box} className="scroll table-box">
      <table className="data-table" aria-rowcount={props.rows.length + 1}>
        <caption className="sr-only">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={rowKeys}>
          <Spacer height={range.from * ROW_HEIGHT} />
          {props.rows.slice(range.from, range.to).map((row, index) => (
            <tr
              key={row.key}
              aria-rowindex={range.from + index + 2}
              aria-selected={row.selected}
              tabIndex={row.selected || (!anySelected && index === 0) ? 0 : -1}
              onClick={row.onSelect}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' && event.key !== ' ') return;
                event.preventDefault();
                row.onSelect();
              }}
            >
              {row.cells.map((cell, column) => (
                <td key={props.columns[column]}>{cell}</td>
              ))}
            </tr>
          ))}
          <Spacer height={(props.rows.length - range.to) * ROW_HEIGHT} />
        </tbody>
      </table>
    </div>
  );
});

/** Stands for the rows of a table that are out of view. */
export function Spacer({ height }: { readonly height: number }) {
  return height > 0 ? <tr style={{ height }} /> : null;
}

function rowKeys(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('tr[tabindex]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[at + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
  event.preventDefault();
}

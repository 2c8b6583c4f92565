/**
 * Two births side by side, joined where they do the same job: ours by its operations, another runtime's by its system calls.
 *
 * Knows: joined rows, as a picture and as its text twin. Does not know: how they were joined (peer-join.ts), nor the details of a row.
 */
import type { PlannedOperation } from '@slipway/contracts';
import { type KeyboardEvent, useMemo } from 'react';
import { visible } from '../base/format.ts';
import { DataTable } from '../base/table.tsx';
import { callText, objectText } from './explanations.ts';
import { callAsText, errnoOf } from './peer-call.ts';
import type { JoinedRow } from './peer-join.ts';
import type { PeerStep } from './peer-steps.ts';
import { phaseTitle } from './phases.ts';

export interface PeerLanesProps {
  /** What the other runtime is called. */
  readonly peer: string;
  readonly rows: readonly JoinedRow[];
  /** Key of a row. */
  readonly selected: string | undefined;
  readonly filter: string;
  readonly onSelect: (key: string) => void;
}

export function PeerLanes(props: PeerLanesProps) {
  const shown = useFiltered(props);
  const phases = [...new Set(shown.map(({ phase }) => phase))];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable
    <section className="peer-lanes scroll" aria-label={`Ours and ${props.peer}, joined`} tabIndex={0}>
      <p className="peer-heads" aria-hidden="true">
        <b>ours, by its plan</b>
        <b>{props.peer}, by its calls</b>
      </p>
      {phases.map((phase) => (
        <section key={phase} className="birth-phase" aria-label={`Phase ${phase}`}>
          <h3>{phaseTitle(phase)}</h3>
          <ol onKeyDown={moveFocus}>
            {shown
              .filter((row) => row.phase === phase)
              .map((row) => (
                <Row key={row.key} row={row} {...props} />
              ))}
          </ol>
        </section>
      ))}
    </section>
  );
}

function Row({ row, peer, selected, onSelect }: PeerLanesProps & { readonly row: JoinedRow }) {
  const joined = row.ours.length > 0 && row.theirs.length > 0;
  return (
    <li>
      <button
        type="button"
        className={joined ? 'peer-row joined' : 'peer-row'}
        aria-pressed={selected === row.key}
        onClick={() => onSelect(row.key)}
      >
        <span className={row.ours.length > 0 ? 'peer-side' : 'peer-side empty'}>
          <span className="sr-only">ours: </span>
          {row.ours.length > 0 ? <Ours operations={row.ours} /> : <Nothing />}
        </span>
        <span className="peer-joint" aria-hidden="true" />
        <span className="peer-side">
          <span className="sr-only">{joined ? `, the same job in ${peer}: ` : `; ${peer}: `}</span>
          {row.theirs.length > 0 ? (
            row.theirs.map((step) => <Theirs key={step.number} step={step} />)
          ) : (
            <span className="peer-none">{row.instead ?? 'no call of this kind'}</span>
          )}
        </span>
      </button>
    </li>
  );
}

function Nothing() {
  return (
    <span className="peer-none">
      <span aria-hidden="true">—</span>
      <span className="sr-only">nothing like it</span>
    </span>
  );
}

function Ours({ operations }: { readonly operations: readonly PlannedOperation[] }) {
  const [first] = operations;
  return (
    <>
      <span className="birth-name">{first?.op}</span>
      {operations.length > 1 ? <span className="num"> × {operations.length}</span> : null}{' '}
      <span className="birth-object">{visible(operations.map(objectText).join(', '))}</span>
    </>
  );
}

function Theirs({ step }: { readonly step: PeerStep }) {
  const failed = stepErrno(step);
  return (
    <span className="peer-step">
      <span className="num peer-number">{step.number}</span> <span className="birth-name">{step.calls[0]?.syscall}</span>
      <span className="num">{howMany(step)}</span> <span className="birth-object">{visible(step.object || step.note || '')}</span>
      {failed === undefined ? null : <span className="peer-errno"> {failed}</span>}
    </span>
  );
}

/** ` × 38` of one call, ` + 4` others after the first, nothing of a single one. */
function howMany({ calls }: PeerStep): string {
  if (calls.length < 2) return '';
  return calls.every(({ syscall }) => syscall === calls[0]?.syscall) ? ` × ${calls.length}` : ` + ${calls.length - 1}`;
}

/** The text twin: a row a job, the same selection. */
export function PeerText(props: PeerLanesProps) {
  const shown = useFiltered(props);
  return (
    <DataTable
      caption={`Our operations and the calls of ${props.peer}, joined where they do the same job`}
      columns={['phase', 'ours', 'our call', 'field of config.json', `step of ${props.peer}`, 'its calls', 'about', 'result']}
      rows={shown.map((row) => ({
        key: row.key,
        selected: props.selected === row.key,
        onSelect: () => props.onSelect(row.key),
        cells: [
          row.phase,
          visible(row.ours.map((operation) => `${operation.op} ${objectText(operation)}`.trim()).join(', ')) || 'nothing like it',
          visible(row.ours.map(callText).at(0) ?? ''),
          visible(row.ours[0]?.pointer ?? ''),
          row.theirs.map(({ number }) => number).join(', '),
          visible(row.theirs.map(callsText).join('; ')) || (row.instead ?? 'no call of this kind'),
          visible(row.theirs.map(({ object, note }) => object || note || '').join('; ')),
          row.theirs.map((step) => stepErrno(step) ?? 'done').join('; '),
        ],
      }))}
    />
  );
}

function callsText({ calls }: PeerStep): string {
  const [first] = calls;
  if (first === undefined) return '';
  return calls.length > 1 ? `${callAsText(first)} and ${calls.length - 1} more` : callAsText(first);
}

/** What the last of its calls came to: a first one may be a try. */
function stepErrno({ calls }: PeerStep): string | undefined {
  const last = calls.at(-1);
  return last && errnoOf(last);
}

function useFiltered({ rows, filter }: Pick<PeerLanesProps, 'rows' | 'filter'>): readonly JoinedRow[] {
  return useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    if (wanted === '') return rows;
    return rows.filter(({ ours, theirs }) => {
      const words = [
        ...ours.flatMap((operation) => [operation.op, objectText(operation), operation.pointer]),
        ...theirs.flatMap(({ object, note, calls }) => [object, note, calls[0]?.syscall]),
      ];
      return words.join(' ').toLowerCase().includes(wanted);
    });
  }, [rows, filter]);
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const rows = [...(event.currentTarget.closest('.peer-lanes')?.querySelectorAll<HTMLElement>('.peer-row') ?? [])];
  rows[rows.indexOf(event.target as HTMLElement) + step]?.focus();
  event.preventDefault();
}

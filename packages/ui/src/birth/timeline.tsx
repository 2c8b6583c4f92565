/**
 * A birth as a column of operations, phase by phase, with a gutter for breakpoints: a debugger's view of a container.
 *
 * Knows: operations, what became of them, where the birth stands. Does not know: how it is driven.
 */
import type { OperationOutcome, PlannedOperation } from '@slipway/contracts';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { formatDuration, visible } from '../base/format.ts';
import { objectText } from './explanations.ts';
import { phaseTitle } from './phases.ts';

export interface BirthTimelineProps {
  readonly label: string;
  readonly operations: readonly PlannedOperation[];
  readonly outcomes: ReadonlyMap<number, OperationOutcome>;
  /** Where it stands: before this one. */
  readonly at: number | undefined;
  readonly breakpoints: ReadonlySet<number>;
  /** Will be left out. */
  readonly leftOut: ReadonlySet<number>;
  readonly selected: number | undefined;
  readonly filter: string;
  readonly onSelect: (index: number) => void;
  readonly onBreakpoint: (index: number) => void;
}

export function BirthTimeline(props: BirthTimelineProps) {
  const box = useRef<HTMLDivElement>(null);
  const { at } = props;
  useEffect(() => {
    if (at !== undefined) box.current?.querySelector(`[data-index="${at}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  const wanted = props.filter.trim().toLowerCase();
  const shown = props.operations.filter((operation) =>
    `${operation.op} ${objectText(operation)} ${operation.pointer}`.toLowerCase().includes(wanted),
  );
  const phases = [...new Set(shown.map(({ phase }) => phase))];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable
    <section ref={box} className="birth-timeline scroll" aria-label={props.label} tabIndex={0}>
      {phases.map((phase) => (
        <section key={phase} className="birth-phase" aria-label={`Phase ${phase}`}>
          <h3>{phaseTitle(phase)}</h3>
          <ol onKeyDown={moveFocus}>
            {shown
              .filter((operation) => operation.phase === phase)
              .map((operation) => (
                <Row key={operation.index} operation={operation} {...props} />
              ))}
          </ol>
        </section>
      ))}
    </section>
  );
}

function Row({ operation, ...props }: BirthTimelineProps & { readonly operation: PlannedOperation }) {
  const { index, op } = operation;
  const outcome = props.outcomes.get(index);
  const state = stateOf(index, outcome, props);
  const marked = props.breakpoints.has(index);
  const name = `${op} ${objectText(operation)}`.trim();
  return (
    <li data-index={index} className={`birth-row ${state.kind}`} aria-current={props.at === index ? 'step' : undefined}>
      <button
        type="button"
        className={marked ? 'birth-break set' : 'birth-break'}
        aria-pressed={marked}
        aria-label={`Breakpoint before ${name}`}
        title={marked ? 'Clear the breakpoint' : 'Stop before this'}
        onClick={() => props.onBreakpoint(index)}
      >
        <i aria-hidden="true" />
      </button>
      <button type="button" className="birth-op" aria-pressed={props.selected === index} onClick={() => props.onSelect(index)}>
        <span className="birth-mark" aria-hidden="true">
          {state.mark}
        </span>
        <span className="birth-name">{op}</span>
        <span className="birth-object">{visible(objectText(operation))}</span>
        <span className="birth-took num">{state.told}</span>
      </button>
    </li>
  );
}

interface RowState {
  readonly kind: 'next' | 'done' | 'failed' | 'skipped' | 'planned' | 'left-out';
  readonly mark: string;
  readonly told: string;
}

function stateOf(index: number, outcome: OperationOutcome | undefined, { at, leftOut }: BirthTimelineProps): RowState {
  if (outcome?.skipped) return { kind: 'skipped', mark: '⤼', told: 'left out' };
  if (outcome && outcome.errno !== 0) return { kind: 'failed', mark: '✗', told: `errno ${outcome.errno}` };
  if (outcome) return { kind: 'done', mark: '✓', told: formatDuration(outcome.endMs - outcome.startMs) };
  if (at === index) return { kind: 'next', mark: '▸', told: 'next' };
  if (leftOut.has(index)) return { kind: 'left-out', mark: '⤼', told: 'to be left out' };
  return { kind: 'planned', mark: '·', told: '' };
}

/** Up and down move between operations, Home and End to the ends of the phase. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const rows = [...(event.currentTarget.closest('.birth-timeline')?.querySelectorAll<HTMLElement>('.birth-op') ?? [])];
  const row = (event.target as HTMLElement).closest('li')?.querySelector<HTMLElement>('.birth-op');
  rows[rows.indexOf(row as HTMLElement) + step]?.focus();
  event.preventDefault();
}

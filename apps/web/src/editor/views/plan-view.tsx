/**
 * The plan of the text as it is: every operation, the field that asked for it, and what changed against what was kept.
 *
 * Knows: rows and their marks. Does not know: how a plan is made, nor how two are compared (text/plan-diff.ts).
 */
'use client';
import type { PlannedOperation } from '@slipway/contracts';
import { Button, EmptyState, visible } from '@slipway/ui';
import { Fragment, useEffect, useMemo, useRef } from 'react';
import { keepPlan } from '../editor-actions.ts';
import { isAbout, lookAt, useEditor } from '../editor-store.ts';
import { argumentsText, diffPlans, type PlanRow } from '../text/plan-diff.ts';

const MARKS = { same: ['', ''], new: ['+', 'new'], gone: ['−', 'gone'], changed: ['~', 'changed'] } as const;

export function PlanView() {
  const operations = useEditor((state) => state.operations);
  const kept = useEditor((state) => state.kept);
  const warnings = useEditor((state) => state.warnings);
  const rows = useMemo(() => diffPlans(kept?.operations ?? operations, operations), [kept, operations]);
  const counts = (['new', 'changed', 'gone'] as const).map(
    (change) => [change, rows.filter((row) => row.change === change).length] as const,
  );
  const stale = useEditor((state) => state.checkedText !== state.text || state.issues.length > 0);
  if (operations.length === 0) {
    return <EmptyState title="No plan yet">The machine plans the document as soon as nothing is wrong with it.</EmptyState>;
  }
  return (
    <div className="plan-view" data-stale={stale || undefined}>
      <p className="plan-summary" role="status">
        {operations.length} operations
        {stale ? ', of the last sound text' : ''}
        {kept ? `; against ${kept.name}: ${counts.map(([change, count]) => `${count} ${change}`).join(', ')}` : ''}
        <Button tone="quiet" onClick={keepPlan}>
          Compare with this from now on
        </Button>
      </p>
      {warnings.map((warning) => (
        <p key={warning} className="plan-warning">
          {visible(warning)}
        </p>
      ))}
      <PlanTable rows={rows} />
    </div>
  );
}

function PlanTable({ rows }: { readonly rows: readonly PlanRow[] }) {
  const pointer = useEditor((state) => state.pointer);
  const box = useRef<HTMLTableElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another field or another plan: the field's first operation comes into view
  useEffect(() => {
    box.current?.querySelector('[data-about]')?.scrollIntoView({ block: 'nearest' });
  }, [pointer, rows]);
  return (
    <table className="plan-table" ref={box}>
      <thead>
        <tr>
          <th scope="col">
            <span className="sr-only">change</span>
          </th>
          <th scope="col">operation</th>
          <th scope="col">asked for by</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows are one immutable list
          <Fragment key={index}>
            {rows[index - 1]?.operation.phase === row.operation.phase ? null : (
              <tr className="plan-phase">
                <th scope="rowgroup" colSpan={3}>
                  {row.operation.phase}
                </th>
              </tr>
            )}
            <Row row={row} about={isAbout(row.operation.pointer, pointer)} />
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function Row({ row, about }: { readonly row: PlanRow; readonly about: boolean }) {
  const { operation, change, before } = row;
  const [mark, word] = MARKS[change];
  return (
    <tr data-change={change} data-about={about || undefined} title={operation.reason}>
      <td>
        <span aria-hidden="true">{mark}</span>
        <span className="sr-only">{word}</span>
      </td>
      <td>
        <OperationLine operation={operation} />
        {before ? <small className="plan-before">was {visible(argumentsText(before))}</small> : null}
      </td>
      <td>
        <PointerButton pointer={operation.pointer} />
      </td>
    </tr>
  );
}

export function OperationLine({ operation }: { readonly operation: PlannedOperation }) {
  const args = argumentsText(operation);
  return (
    <>
      <b>{operation.op}</b> <code title={args}>{visible(args.slice(0, 160))}</code>
    </>
  );
}

/** Leads every view to the field. */
export function PointerButton({ pointer }: { readonly pointer: string }) {
  if (pointer === '') return <span className="plan-own">the runtime itself</span>;
  return (
    <button type="button" className="pointer-button" onClick={() => lookAt(pointer)}>
      {visible(pointer)}
    </button>
  );
}

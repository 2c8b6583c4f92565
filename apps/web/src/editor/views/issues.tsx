/**
 * Everything wrong with the text, each leading to its place.
 *
 * Knows: the page's own findings and the machine's, merged (editor-actions.ts). Does not know: who found what.
 */
'use client';
import { visible } from '@slipway/ui';
import { useMemo } from 'react';
import { allFaults } from '../editor-actions.ts';
import { lookAt, useEditor } from '../editor-store.ts';

const SHOWN = 50;

export function Issues() {
  const text = useEditor((state) => state.text);
  const faults = useEditor((state) => state.faults);
  const issues = useEditor((state) => state.issues);
  const checkedText = useEditor((state) => state.checkedText);
  const all = useMemo(() => {
    const found = allFaults({ text, faults, issues, ...(checkedText === undefined ? {} : { checkedText }) });
    return found.toSorted((a, b) => a.range.from - b.range.from);
  }, [text, faults, issues, checkedText]);
  const errors = all.filter(({ severity }) => severity === 'error').length;
  return (
    <section className="issues" aria-label="Issues" data-open={all.length > 0 || undefined}>
      <p role="status">{text.trim() === '' ? 'There is no document yet.' : summary(errors, all.length - errors)}</p>
      <ul>
        {all.slice(0, SHOWN).map((fault) => (
          <li key={`${fault.range.from} ${fault.pointer} ${fault.message}`} data-severity={fault.severity}>
            <button type="button" onClick={() => lookAt(fault.pointer)}>
              <code>{visible(fault.pointer || '/')}</code> {visible(fault.message)}
              <small>line {text.slice(0, fault.range.from).split('\n').length}</small>
            </button>
          </li>
        ))}
        {all.length > SHOWN ? <li>and {all.length - SHOWN} more</li> : null}
      </ul>
    </section>
  );
}

function summary(errors: number, notes: number): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  if (errors + notes === 0) return 'Nothing is wrong with the text.';
  return [...(errors > 0 ? [count(errors, 'issue')] : []), ...(notes > 0 ? [count(notes, 'note')] : [])].join(', ');
}

/**
 * The field that is looked at, with everything known about it in one place: what it does, which flag set it, which operations it causes,
 * what the kernel showed of it.
 *
 * Knows: one pointer. Does not know: where any of it comes from.
 */
'use client';
import { visible } from '@slipway/ui';
import { isAbout, useEditor } from '../editor-store.ts';
import { fieldSchema } from '../text/field-docs.ts';
import { OperationLine } from './plan-view.tsx';
import { KernelLine } from './run-view.tsx';

const SHOWN = 6;

export function FieldStrip() {
  const pointer = useEditor((state) => state.pointer);
  const schema = useEditor((state) => state.schema);
  const operations = useEditor((state) => state.operations);
  const origins = useEditor((state) => state.origins);
  const evidence = useEditor((state) => state.run?.result.evidence);
  if (!pointer) {
    return (
      <section className="field-strip" aria-label="The field">
        <p>Put the cursor on a field, or choose one anywhere: its operations and what the kernel showed of it come here.</p>
      </section>
    );
  }
  const causes = operations.filter((operation) => isAbout(operation.pointer, pointer) || isAbout(pointer, operation.pointer));
  const lines = (evidence ?? []).filter((line) => isAbout(line.pointer, pointer) || isAbout(pointer, line.pointer));
  const flags = origins
    .filter(({ pointers }) => pointers.some((at) => isAbout(at, pointer) || isAbout(pointer, at)))
    .map(({ flag }) => flag);
  return (
    <section className="field-strip" aria-label="The field">
      <h3>{visible(pointer)}</h3>
      <p>{schema && (fieldSchema(schema, pointer)?.description ?? 'The specification names no such field.')}</p>
      {flags.length > 0 ? <p>Set by {flags.map((flag) => visible(flag)).join(', ')} of the docker run line.</p> : null}
      <ul className="strip-operations" aria-label="Operations it causes">
        {causes.slice(0, SHOWN).map((operation) => (
          <li key={operation.index}>
            <OperationLine operation={operation} /> <small>{operation.reason}</small>
            {operation.performedAt ? <code className="source">{operation.performedAt}</code> : null}
          </li>
        ))}
        {causes.length > SHOWN ? <li>and {causes.length - SHOWN} more in the plan</li> : null}
      </ul>
      <ul className="strip-evidence" aria-label="What the kernel showed">
        {lines.slice(0, SHOWN).map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are one immutable list
          <li key={index}>
            <KernelLine line={line} />
          </li>
        ))}
      </ul>
    </section>
  );
}

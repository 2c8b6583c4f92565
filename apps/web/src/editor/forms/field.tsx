/**
 * One field of a form: its name with what it does on hover, its control, and what is wrong with it.
 *
 * Knows: the editor's state for one pointer. Does not know: which fields there are.
 */
'use client';
import { WithTip } from '@slipway/ui';
import { type ReactNode, useEffect, useId, useState } from 'react';
import { allFaults, editField } from '../editor-actions.ts';
import { isAbout, lookAt, useEditor } from '../editor-store.ts';
import { fieldSchema } from '../text/field-docs.ts';
import { valueAt } from '../text/json-text.ts';
import { useFormUsable, useFormValue } from './form-value.ts';

export function useField(pointer: string): unknown {
  return valueAt(useFormValue(), pointer);
}

export function Field(props: {
  readonly pointer: string;
  readonly label: string;
  readonly htmlFor?: string;
  readonly children: ReactNode;
}) {
  const { pointer, label, htmlFor } = props;
  const description = useEditor((state) => state.schema && fieldSchema(state.schema, pointer)?.description);
  const about = useEditor((state) => isAbout(state.pointer ?? '', pointer));
  return (
    <fieldset className="form-field" aria-label={label} data-about={about || undefined} onFocus={() => lookAt(pointer)}>
      <span className="form-label">
        {htmlFor ? <label htmlFor={htmlFor}>{label}</label> : <span>{label}</span>}
        {description ? (
          <WithTip
            className="form-help"
            label={`What ${label} does`}
            tip={
              <>
                {description}
                <span className="tip-facts">{pointer}</span>
              </>
            }
          >
            ?
          </WithTip>
        ) : null}
      </span>
      {props.children}
      <Faults pointer={pointer} />
    </fieldset>
  );
}

/** Everything wrong with a field or below it. */
function Faults({ pointer }: { readonly pointer: string }) {
  const text = useEditor((state) =>
    allFaults(state)
      .filter((fault) => fault.severity === 'error' && isAbout(fault.pointer, pointer))
      .map((fault) => `${fault.pointer === pointer ? '' : `${fault.pointer.slice(pointer.length + 1)} `}${fault.message}`)
      .join('; '),
  );
  return text === '' ? null : <p className="form-fault">{text}</p>;
}

/** What is typed stays as typed until the field is left or Enter is pressed; then it is read and written to the document. */
export function useTyped(shown: string, write: (text: string) => void) {
  const [typed, setTyped] = useState<string | undefined>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the document changed elsewhere: what was typed here is over
  useEffect(() => setTyped(undefined), [shown]);
  const finish = () => {
    if (typed !== undefined && typed !== shown) write(typed);
    setTyped(undefined);
  };
  return {
    value: typed ?? shown,
    onChange: (event: { readonly target: { readonly value: string } }) => setTyped(event.target.value),
    onBlur: finish,
    onKeyDown: (event: { readonly key: string }) => {
      if (event.key === 'Enter') finish();
    },
  };
}

export interface ScalarProps {
  readonly pointer: string;
  readonly label: string;
  readonly placeholder?: string;
  /** Document value → text of the control, and back; undefined takes the field away. */
  readonly show?: (value: unknown) => string;
  readonly read?: (text: string) => unknown;
}

const plainText = (value: unknown) => (value === undefined || value === null ? '' : String(value));

/** A text or number in one line. What cannot be read is written as it is, so that its fault is shown. */
export function ScalarField({ pointer, label, placeholder, show = plainText, read = (text) => text }: ScalarProps) {
  const id = useId();
  const value = useField(pointer);
  const typed = useTyped(show(value), (text) => editField(pointer, text.trim() === '' ? undefined : read(text)));
  return (
    <Field pointer={pointer} label={label} htmlFor={id}>
      <input id={id} className="form-input" disabled={!useFormUsable()} placeholder={placeholder} spellCheck={false} {...typed} />
    </Field>
  );
}

/** As ScalarField; digits become a number, anything else stays text and is told to be wrong. */
export function NumberField(props: Omit<ScalarProps, 'read' | 'show'>) {
  return <ScalarField {...props} read={(text) => (/^-?\d+$/.test(text.trim()) ? Number(text) : text)} />;
}

export function SwitchField({ pointer, label }: { readonly pointer: string; readonly label: string }) {
  const id = useId();
  const value = useField(pointer);
  return (
    <Field pointer={pointer} label={label} htmlFor={id}>
      <input
        id={id}
        type="checkbox"
        className="form-check"
        disabled={!useFormUsable()}
        checked={value === true}
        onChange={(event) => editField(pointer, event.target.checked)}
      />
    </Field>
  );
}

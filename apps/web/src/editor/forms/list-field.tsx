/**
 * A list of texts: one line each, with a button to add and to take away.
 *
 * Knows: lists of strings below one pointer. Does not know: what they mean.
 */
'use client';
import { Button, IconButton } from '@slipway/ui';
import { editField } from '../editor-actions.ts';
import { lookAt } from '../editor-store.ts';
import { Field, useField, useTyped } from './field.tsx';
import { useFormUsable } from './form-value.ts';

export function ListField(props: {
  readonly pointer: string;
  readonly label: string;
  readonly item: string;
  readonly placeholder?: string;
}) {
  const value = useField(props.pointer);
  const items = Array.isArray(value) ? (value as readonly unknown[]) : [];
  return (
    <Field pointer={props.pointer} label={props.label}>
      <ol className="form-list">
        {items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an entry is its place in the list
          <Entry key={index} pointer={`${props.pointer}/${index}`} label={`${props.item} ${index + 1}`} value={item} />
        ))}
      </ol>
      <Button
        tone="quiet"
        icon="plus"
        disabled={!useFormUsable()}
        onClick={() =>
          editField(
            items.length === 0 ? props.pointer : `${props.pointer}/-`,
            items.length === 0 ? [props.placeholder ?? ''] : (props.placeholder ?? ''),
          )
        }
      >
        Add {props.item}
      </Button>
    </Field>
  );
}

function Entry({ pointer, label, value }: { readonly pointer: string; readonly label: string; readonly value: unknown }) {
  const typed = useTyped(typeof value === 'string' ? value : JSON.stringify(value), (text) => editField(pointer, text));
  return (
    <li>
      <input className="form-input" aria-label={label} spellCheck={false} onFocus={() => lookAt(pointer)} {...typed} />
      <IconButton icon="cross" label={`Remove ${label}`} onClick={() => editField(pointer, undefined)} />
    </li>
  );
}

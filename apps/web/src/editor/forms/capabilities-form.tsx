/**
 * Capabilities as a table: rows are rights, columns the five sets.
 *
 * Knows: the five lists below /process/capabilities; names come from the schema. Does not know: which a host can give.
 */
'use client';
import { useState } from 'react';
import { editField } from '../editor-actions.ts';
import { lookAt, useEditor } from '../editor-store.ts';
import { fieldSchema } from '../text/field-docs.ts';
import { Field, useField } from './field.tsx';
import { useFormUsable } from './form-value.ts';

const LISTS = '/process/capabilities';
const SETS = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const;

export function CapabilitiesForm() {
  const [all, setAll] = useState(false);
  const value = useField(LISTS) as Readonly<Record<string, unknown>> | undefined | null;
  const known = useEditor((state) => state.schema && fieldSchema(state.schema, `${LISTS}/bounding/0`)?.examples);
  const held = new Map(SETS.map((set) => [set, Array.isArray(value?.[set]) ? (value[set] as readonly string[]) : []]));
  const given = [...new Set([...held.values()].flat())];
  const names = all ? [...new Set([...((known ?? []) as readonly string[]), ...given])] : given;
  return (
    <Field pointer={LISTS} label="Capabilities">
      <div className="form-table-box">
        <table className="form-table">
          <thead>
            <tr>
              <th scope="col">right</th>
              {SETS.map((set) => (
                <th scope="col" key={set} title={set}>
                  {set.slice(0, 3)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr key={name}>
                <th scope="row">{name.replace(/^CAP_/, '')}</th>
                {SETS.map((set) => (
                  <td key={set}>
                    <Box set={set} name={name} list={held.get(set) ?? []} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <button type="button" className="plain-link" onClick={() => setAll(!all)}>
        {all ? 'Only those given' : given.length === 0 ? 'None is given; show all' : 'Show all'}
      </button>
    </Field>
  );
}

function Box({ set, name, list }: { readonly set: string; readonly name: string; readonly list: readonly string[] }) {
  const usable = useFormUsable();
  const index = list.indexOf(name);
  const pointer = `${LISTS}/${set}`;
  return (
    <input
      type="checkbox"
      aria-label={`${name} ${set}`}
      disabled={!usable}
      checked={index >= 0}
      onFocus={() => index >= 0 && lookAt(`${pointer}/${index}`)}
      onChange={() => {
        if (index >= 0) editField(`${pointer}/${index}`, undefined);
        else editField(list.length === 0 ? pointer : `${pointer}/-`, list.length === 0 ? [name] : name);
      }}
    />
  );
}

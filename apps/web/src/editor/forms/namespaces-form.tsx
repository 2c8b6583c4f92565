/**
 * The eight namespaces: which the container has of its own, which it joins, which it shares.
 *
 * Knows: the list below /linux/namespaces. Does not know: which the kernel has.
 */
'use client';
import { KindMark, namespaceKind } from '@slipway/ui';
import { editField } from '../editor-actions.ts';
import { lookAt, useEditor } from '../editor-store.ts';
import { Field, useField } from './field.tsx';
import { useFormUsable } from './form-value.ts';

/** The specification's word → the kernel's, by which kinds are drawn. */
const KINDS = { user: 'user', mount: 'mnt', pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup', time: 'time' } as const;

const LIST = '/linux/namespaces';

export function NamespacesForm() {
  const value = useField(LIST);
  const entries = Array.isArray(value) ? (value as readonly { readonly type?: unknown; readonly path?: unknown }[]) : [];
  const usable = useFormUsable();
  const pointer = useEditor((state) => state.pointer);
  return (
    <Field pointer={LIST} label="Namespaces of its own">
      <ul className="form-kinds">
        {Object.entries(KINDS).map(([type, name]) => {
          const kind = namespaceKind(name);
          const index = entries.findIndex((entry) => entry?.type === type);
          const path = entries[index]?.path;
          const place = `${LIST}/${index}`;
          return (
            <li key={type} data-about={index >= 0 && (pointer === place || pointer?.startsWith(`${place}/`)) ? true : undefined}>
              <label title={kind.isolates}>
                <input
                  type="checkbox"
                  disabled={!usable}
                  checked={index >= 0}
                  onFocus={() => index >= 0 && lookAt(place)}
                  onChange={() => toggle(entries.length, index, type)}
                />
                <KindMark letter={kind.letter} color={kind.color} title={kind.isolates} />
                {type}
                {typeof path === 'string' && path !== '' ? <small>joined: {path}</small> : null}
              </label>
            </li>
          );
        })}
      </ul>
    </Field>
  );
}

function toggle(count: number, index: number, type: string): void {
  if (index >= 0) editField(`${LIST}/${index}`, undefined);
  else editField(count === 0 ? LIST : `${LIST}/-`, count === 0 ? [{ type }] : { type });
}

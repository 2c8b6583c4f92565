/**
 * The mounts, one card each: where, which file system, from what, how.
 *
 * Knows: the four fields of a mount that people set. Does not know: what a kernel accepts.
 */
'use client';
import { Button } from '@slipway/ui';
import { useEffect, useState } from 'react';
import { editField } from '../editor-actions.ts';
import { isAbout, useEditor } from '../editor-store.ts';
import { Field, ScalarField, useField } from './field.tsx';
import { useFormUsable } from './form-value.ts';

const NEW_MOUNT = { destination: '/scratch', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'size=16m'] };

export function MountsForm() {
  const value = useField('/mounts');
  const mounts = Array.isArray(value) ? (value as readonly { readonly destination?: unknown; readonly type?: unknown }[]) : [];
  return (
    <Field pointer="/mounts" label="Mounts">
      <ol className="form-cards">
        {mounts.map((mount, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: mounts are made in this order; the place is the identity
          <MountCard key={index} pointer={`/mounts/${index}`} title={String(mount?.destination ?? '')} kind={String(mount?.type ?? '')} />
        ))}
      </ol>
      <Button
        tone="quiet"
        icon="plus"
        disabled={!useFormUsable()}
        onClick={() => editField(mounts.length === 0 ? '/mounts' : '/mounts/-', mounts.length === 0 ? [NEW_MOUNT] : NEW_MOUNT)}
      >
        Add mount
      </Button>
    </Field>
  );
}

const words = (value: unknown) => (Array.isArray(value) ? value.join(' ') : '');
const readWords = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');

function MountCard({ pointer, title, kind }: { readonly pointer: string; readonly title: string; readonly kind: string }) {
  const chosen = useEditor((state) => isAbout(state.pointer ?? '', pointer));
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (chosen) setOpen(true);
  }, [chosen]);
  return (
    <li>
      <details className="form-card" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <code>{title || '(nowhere)'}</code> <span>{kind}</span>
        </summary>
        <ScalarField pointer={`${pointer}/destination`} label="Where" />
        <ScalarField pointer={`${pointer}/type`} label="File system" />
        <ScalarField pointer={`${pointer}/source`} label="From" />
        <ScalarField pointer={`${pointer}/options`} label="Options" show={words} read={readWords} />
        <Button tone="quiet" icon="cross" onClick={() => editField(pointer, undefined)}>
          Remove mount {title}
        </Button>
      </details>
    </li>
  );
}

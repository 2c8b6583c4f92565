/**
 * The forms beside the JSON: the fields people change most, each an edit of the same text.
 *
 * Knows: which fields those are, and their order. Does not know: how one is edited (field.tsx), nor all the others: the JSON has them.
 */
'use client';
import { type ReactNode, useMemo, useState } from 'react';
import { useEditor } from '../editor-store.ts';
import { readValue } from '../text/json-text.ts';
import { CapabilitiesForm } from './capabilities-form.tsx';
import { NumberField, ScalarField, SwitchField } from './field.tsx';
import { FormValue } from './form-value.ts';
import { ListField } from './list-field.tsx';
import { MountsForm } from './mounts-form.tsx';
import { NamespacesForm } from './namespaces-form.tsx';
import { formatSize, parseSize } from './sizes.ts';

const size = (value: unknown) =>
  typeof value === 'number' ? formatSize(value) : value === undefined || value === null ? '' : String(value);
const readSize = (text: string) => parseSize(text) ?? text;

export function Forms() {
  const text = useEditor((state) => state.text);
  const value = useMemo(() => readValue(text), [text]);
  const usable = value !== undefined;
  const [last, setLast] = useState(value);
  if (usable && value !== last) setLast(value);
  const document = useMemo(() => ({ value: usable ? value : last, usable }), [value, last, usable]);
  return (
    <FormValue value={document}>
      <div className="forms">
        {usable ? null : (
          <p className="form-rest">The text is not JSON at this moment. The forms rest, and follow again as soon as it is.</p>
        )}
        <Section title="Program">
          <ListField pointer="/process/args" label="Program and arguments" item="argument" />
          <ScalarField pointer="/process/cwd" label="Working directory" />
          <ListField pointer="/process/env" label="Environment" item="variable" placeholder="NAME=value" />
          <SwitchField pointer="/process/terminal" label="Terminal" />
          <SwitchField pointer="/process/noNewPrivileges" label="No new privileges" />
        </Section>
        <Section title="Identity">
          <ScalarField pointer="/hostname" label="Host name" />
          <NumberField pointer="/process/user/uid" label="User id" />
          <NumberField pointer="/process/user/gid" label="Group id" />
          <SwitchField pointer="/root/readonly" label="Read-only root" />
        </Section>
        <Section title="Limits">
          <ScalarField pointer="/linux/resources/memory/limit" label="Memory" placeholder="64m" show={size} read={readSize} />
          <NumberField pointer="/linux/resources/cpu/quota" label="CPU quota (µs)" placeholder="50000" />
          <NumberField pointer="/linux/resources/cpu/period" label="CPU period (µs)" placeholder="100000" />
          <NumberField pointer="/linux/resources/cpu/shares" label="CPU shares" placeholder="1024" />
          <NumberField pointer="/linux/resources/pids/limit" label="Processes" placeholder="100" />
        </Section>
        <Section title="Mounts">
          <MountsForm />
        </Section>
        <Section title="Namespaces">
          <NamespacesForm />
        </Section>
        <Section title="Rights">
          <CapabilitiesForm />
        </Section>
      </div>
    </FormValue>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="form-section" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

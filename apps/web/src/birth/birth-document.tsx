/**
 * The document of a birth: from an image or from a running container, and as text to change.
 *
 * Knows: where documents come from, and what is wrong with this one. Does not know: births.
 */
'use client';
import { Button, visible } from '@slipway/ui';
import { useState } from 'react';
import { orToast, workbench } from '../state/lab.ts';
import { useView } from '../state/stores.ts';
import type { BirthStore } from './birth-store.ts';

export function BirthDocument({ birth, title }: { readonly birth: BirthStore; readonly title: string }) {
  const { images, image, config, issues, busy } = birth.use();
  const [text, setText] = useState<string>();
  const [containers, setContainers] = useState<readonly { readonly id: string; readonly name: string }[]>();
  const fetchContainers = async () => setContainers((await workbench.ask({ do: 'containers' })).containers);
  return (
    <details className="birth-document" onToggle={(event) => event.currentTarget.open && void orToast(fetchContainers())}>
      <summary>
        {title} <span className="birth-from">for a copy of {visible(image) || '…'}</span>
        {issues.length > 0 ? <span className="problem"> {issues.length} wrong</span> : null}
      </summary>
      <div className="birth-sources">
        <label className="chooser">
          <span>fresh, for image</span>
          <select value={image} disabled={busy !== undefined} onChange={(event) => choose(() => birth.chooseImage(event.target.value))}>
            {[...new Set([...(image ? [image] : []), ...images])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label className="chooser">
          <span>of container</span>
          <select
            value=""
            disabled={busy !== undefined || containers === undefined || containers.length === 0}
            onChange={(event) => choose(() => orToast(fromContainer(birth, event.target.value)))}
          >
            <option value="">{containers?.length === 0 ? 'none runs' : 'choose'}</option>
            {containers?.map(({ id, name }) => (
              <option key={id} value={id}>
                {visible(name)}
              </option>
            ))}
          </select>
        </label>
        <Button disabled={text === undefined || busy !== undefined} onClick={() => choose(() => birth.setConfig(text ?? config))}>
          Use what I wrote
        </Button>
        <Button tone="quiet" disabled={busy !== undefined} onClick={() => void orToast(editDocument(config, image))}>
          Open in the editor
        </Button>
      </div>
      <textarea
        className="mono"
        spellCheck={false}
        aria-label={`${title}, config.json`}
        value={text ?? config}
        onChange={(event) => setText(event.target.value)}
        rows={12}
      />
      {issues.length > 0 ? (
        <ul className="birth-issues">
          {issues.map(({ pointer, message }) => (
            <li key={`${pointer} ${message}`}>
              <code>{visible(pointer) || '/'}</code> {visible(message)}
            </li>
          ))}
        </ul>
      ) : null}
    </details>
  );

  function choose(work: () => Promise<void>): void {
    setText(undefined);
    void work();
  }
}

/** The editor is large, and loaded when it is first opened. */
async function editDocument(config: string, image: string): Promise<void> {
  const { takeDocument } = await import('../editor/editor-actions.ts');
  takeDocument(config, 'the birth stepper', { image });
  useView.setState({ place: 'config' });
}

async function fromContainer(birth: BirthStore, container: string): Promise<void> {
  if (container === '') return;
  const { config, image } = await workbench.ask({ do: 'fromContainer', container });
  await birth.setConfig(config, image);
}

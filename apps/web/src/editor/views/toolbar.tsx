/**
 * The editor's tools: where the document comes from, what runs it, and how it leaves the page.
 *
 * Knows: the controls. Does not know: how any is done.
 */
'use client';
import { Button, Icon, Switch } from '@slipway/ui';
import { useState } from 'react';
import { replaceAddress } from '../../shell/address-sync.ts';
import { orToast } from '../../state/lab.ts';
import { toast, useView } from '../../state/stores.ts';
import { runNow, stepThrough } from '../editor-actions.ts';
import { type RuntimeName, useEditor } from '../editor-store.ts';
import { packText } from '../text/share.ts';
import { ExportDialog } from './export-dialog.tsx';
import { StartDialog } from './start-dialog.tsx';

const RUNTIMES = [
  { value: 'ours', label: 'ours' },
  { value: 'runc', label: 'runc' },
  { value: 'crun', label: 'crun' },
] as const satisfies readonly { readonly value: RuntimeName; readonly label: string }[];

export function Toolbar() {
  const [starting, setStarting] = useState(false);
  const [exporting, setExporting] = useState(false);
  const origin = useEditor((state) => state.origin);
  const image = useEditor((state) => state.image);
  const images = useEditor((state) => state.images);
  const runtime = useEditor((state) => state.runtime);
  const running = useEditor((state) => state.busy === 'run');
  return (
    <header className="editor-bar">
      <Button tone="quiet" onClick={() => useView.setState({ place: 'lab' })}>
        <Icon name="chevron" size={12} className="back" /> Lab
      </Button>
      <h1>config.json</h1>
      {origin ? <span className="editor-origin">from {origin}</span> : null}
      <Button icon="open" onClick={() => setStarting(true)}>
        Start from …
      </Button>
      <Button tone="quiet" icon="copy" title="Copy a link to this document" onClick={() => void share()}>
        <span className="bar-label">Copy link</span>
      </Button>
      <Button tone="quiet" icon="save" title="Export the bundle" onClick={() => setExporting(true)}>
        <span className="bar-label">Export</span>
      </Button>
      <span className="spacer" />
      <label className="editor-image">
        <span>on a copy of</span>
        <select value={image} onChange={(event) => useEditor.setState({ image: event.target.value })}>
          {[...new Set([...(image ? [image] : []), ...images])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Switch label="Runtime" value={runtime} options={RUNTIMES} onChange={(next) => useEditor.setState({ runtime: next })} />
      <Button tone="act" icon="play" disabled={running || image === ''} onClick={() => void runNow()}>
        {running ? 'Running …' : 'Run'}
      </Button>
      <Button icon="step" disabled={image === ''} onClick={() => void orToast(stepThrough())} title="Stop its birth before any operation">
        <span className="bar-label">Step through</span>
      </Button>
      {exporting ? <ExportDialog onClose={() => setExporting(false)} /> : null}
      {starting ? <StartDialog onClose={() => setStarting(false)} /> : null}
    </header>
  );
}

async function share(): Promise<void> {
  const coded = await packText(useEditor.getState().text);
  if (coded === undefined) return toast('The document is too large for a link. Export it instead.', 'bad');
  const url = `${location.origin}${location.pathname}#/~config?c=${coded}`;
  replaceAddress(url);
  try {
    await navigator.clipboard.writeText(url);
    toast('The link is copied. Opening it shows the document and runs nothing.');
  } catch {
    toast('The link is in the address of this page.');
  }
}

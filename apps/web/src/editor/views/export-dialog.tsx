/**
 * How a document leaves the page: as a file, or as a whole bundle in the machine.
 *
 * Knows: both ways. Does not know: how a bundle is made (the agent in the machine does).
 */
'use client';
import { Button, CopyButton, Dialog, visible } from '@slipway/ui';
import { useState } from 'react';
import { exportBundle } from '../editor-actions.ts';
import { useEditor } from '../editor-store.ts';
import { withoutComments } from '../text/json-text.ts';

type Made = { readonly path: string } | 'making' | Error;

export function ExportDialog({ onClose }: { readonly onClose: () => void }) {
  const image = useEditor((state) => state.image);
  const [made, setMade] = useState<Made>();
  const make = () => {
    setMade('making');
    exportBundle().then(setMade, (error: unknown) => setMade(error instanceof Error ? error : new Error(String(error))));
  };
  return (
    <Dialog title="Export" onClose={onClose}>
      <div className="start">
        <p>
          <code>config.json</code> as runtimes read it, without comments:
        </p>
        <Button icon="save" onClick={download}>
          Download config.json
        </Button>
        <p>
          The whole bundle, <code>config.json</code> beside a copy of the files of {visible(image) || 'an image'}, put into the machine:
        </p>
        <Button icon="save" disabled={image === '' || made === 'making'} onClick={make}>
          {made === 'making' ? 'Copying …' : 'Put the bundle into the machine'}
        </Button>
        <Told made={made} />
      </div>
    </Dialog>
  );
}

function Told({ made }: { readonly made: Made | undefined }) {
  if (made === undefined || made === 'making') return null;
  if (made instanceof Error) return <p className="problem">{visible(made.message)}</p>;
  const command = `cd ${made.path} && runc run demo`;
  return (
    <p role="status">
      It is in <code>{made.path}</code>. In the terminal: <code>{command}</code> <CopyButton text={command} label="Copy command" />
    </p>
  );
}

function download(): void {
  const url = URL.createObjectURL(new Blob([withoutComments(useEditor.getState().text)], { type: 'application/json' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: 'config.json' });
  link.click();
  URL.revokeObjectURL(url);
}

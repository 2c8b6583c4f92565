/**
 * Where a document comes from: the machine's own for an image, a `docker run` line, a container that runs.
 *
 * Knows: the three ways and what each asks for. Does not know: how any is done (editor-actions.ts).
 */
'use client';
import { Button, Dialog, Switch } from '@slipway/ui';
import { useEffect, useState } from 'react';
import { listContainers, startFromContainer, startFromSpec } from '../editor-actions.ts';
import { useEditor } from '../editor-store.ts';
import { DockerLine } from './docker-line.tsx';

type Way = 'spec' | 'docker' | 'container';

export function StartDialog({ onClose }: { readonly onClose: () => void }) {
  const [way, setWay] = useState<Way>('spec');
  return (
    <Dialog title="Start from" onClose={onClose} wide>
      <div className="start">
        <Switch
          label="Start from"
          value={way}
          onChange={setWay}
          options={[
            { value: 'spec', label: 'spec' },
            { value: 'docker', label: 'docker run line' },
            { value: 'container', label: 'running container' },
          ]}
        />
        {way === 'spec' ? <FromSpec onClose={onClose} /> : null}
        {way === 'docker' ? <DockerLine onClose={onClose} /> : null}
        {way === 'container' ? <FromContainer onClose={onClose} /> : null}
      </div>
    </Dialog>
  );
}

function FromSpec({ onClose }: { readonly onClose: () => void }) {
  const images = useEditor((state) => state.images);
  return (
    <>
      <p>
        What <code>runc spec</code> writes, with the image’s program and environment.
      </p>
      {images.length === 0 ? <p>The machine’s engine has no image.</p> : null}
      <ul className="start-list">
        {images.map((image) => (
          <li key={image}>
            <Button
              onClick={() => {
                void startFromSpec(image);
                onClose();
              }}
            >
              {image}
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

type Listed = Awaited<ReturnType<typeof listContainers>> | 'asking' | Error;

function FromContainer({ onClose }: { readonly onClose: () => void }) {
  const [found, setFound] = useState<Listed>('asking');
  useEffect(() => {
    let gone = false;
    listContainers().then(
      (list) => !gone && setFound(list),
      (error: unknown) => !gone && setFound(error instanceof Error ? error : new Error(String(error))),
    );
    return () => {
      gone = true;
    };
  }, []);
  if (found === 'asking') return <p>Asking the machine’s engine …</p>;
  if (found instanceof Error) return <p className="problem">{found.message}</p>;
  if (found.length === 0) {
    return (
      <p>
        No container runs. In the terminal: <code>docker run -d --name web busybox sleep 300</code>
      </p>
    );
  }
  return (
    <ul className="start-list">
      {found.map(({ id, name, image }) => (
        <li key={id}>
          <Button
            onClick={() => {
              void startFromContainer(id, name);
              onClose();
            }}
          >
            {name} <small>{image}</small>
          </Button>
        </li>
      ))}
    </ul>
  );
}

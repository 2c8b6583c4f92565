/**
 * The layers explorer's other side: the layers of a whole image, file by file.
 *
 * Knows: which image, layer, directory and file are looked at. Does not know: how any of it is drawn.
 */
'use client';
import type { Xray } from '@slipway/contracts';
import { EmptyState, Switch } from '@slipway/ui';
import {
  type ChosenFile,
  wasteSentence,
  XrayContent,
  XrayDifference,
  XrayEntries,
  XrayStack,
  XrayText,
  XrayWasted,
} from '@slipway/ui/xray';
import { type ReactNode, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { useMoment, useView } from '../state/stores.ts';
import { Answered } from './answered.tsx';
import { imageChange } from './image-changes.ts';
import { ImageChooser } from './image-chooser.tsx';
import { NowFrame } from './scene.tsx';
import { useAnswer } from './use-answer.ts';

const ABOUT =
  'Each layer holds only what its build step wrote: files, and whiteouts for what it deletes. What a later layer covers stays in the image: it is stored, fetched, and never seen.';

type View = 'files' | 'wasted' | 'difference';

export default function ImageLayers({ side }: { readonly side: ReactNode }) {
  const change = useMoment((state) => imageChange(state.world));
  const chosen = useView((state) => state.images);
  const [filter, setFilter] = useState('');
  const list = useAnswer<'imageList'>({ do: 'imageList' }, change);
  const images = (list.answer?.images ?? []).filter(({ local }) => local);
  const names = chosen ?? images.slice(0, 1).map(({ name }) => name);
  const [name, other] = names;
  return (
    <NowFrame
      title="Layers"
      about={ABOUT}
      filter={filter}
      onFilter={setFilter}
      tools={
        <>
          {side}
          <ImageChooser images={images} names={names} second="compare with" onChoose={(next) => useView.setState({ images: next })} />
        </>
      }
    >
      {name !== undefined ? (
        <Layers key={name} name={name} other={other} change={change} filter={filter.trim()} />
      ) : (
        <Answered asked={list} failed="The machine’s images cannot be listed." waiting="Asking for images">
          {() => (
            <EmptyState title="No image, no layers." command="docker pull layers-demo" onType={typeCommand}>
              The layers of an image that the engine has are looked into where they lie.
            </EmptyState>
          )}
        </Answered>
      )}
    </NowFrame>
  );
}

interface LayersProps {
  readonly name: string;
  readonly other: string | undefined;
  readonly change: string;
  /** A part of paths, looked for in all layers; `''` for none. */
  readonly filter: string;
}

function Layers({ name, other, change, filter }: LayersProps) {
  const as = useView((state) => state.as);
  const [layer, setLayer] = useState<number>();
  const asked = useAnswer<'xray'>({ do: 'xray', image: name }, change);
  return (
    <Answered asked={asked} failed="These layers cannot be looked into." waiting="Looking through the layers">
      {(xray) => {
        const stack = { xray, layer, onLayer: setLayer };
        return (
          <>
            <p className="image-summary" role="status">
              {wasteSentence(xray.wastedBytes, xray.fileBytes, xray.layers.length)}
              {xray.truncated ? ' There are more names than are looked at: all of this is a lower bound.' : ''}
            </p>
            <div className="xray-panes">
              {as === 'text' ? <XrayText {...stack} /> : <XrayStack {...stack} />}
              <Files xray={xray} layer={layer} other={other} filter={filter} />
            </div>
          </>
        );
      }}
    </Answered>
  );
}

interface FilesProps {
  readonly xray: Xray;
  readonly layer: number | undefined;
  readonly other: string | undefined;
  readonly filter: string;
}

function Files({ xray, layer, other, filter }: FilesProps) {
  const [wanted, setView] = useState<View>('files');
  const [file, setFile] = useState<ChosenFile>();
  const view = other === undefined && wanted === 'difference' ? 'files' : wanted;
  const options = [
    { value: 'files', label: 'Files' },
    { value: 'wasted', label: 'Wasted' },
    ...(other === undefined ? [] : [{ value: 'difference' as const, label: 'Difference' }]),
  ] as const;
  return (
    <section className="xray-files" aria-label="Files of the layers">
      <Switch label="What of the layers" value={view} onChange={setView} options={options} />
      {view === 'difference' && other !== undefined ? (
        <Difference xray={xray} other={other} />
      ) : view === 'wasted' ? (
        <XrayWasted wasted={xray.wasted} onFile={setFile} />
      ) : (
        <Entries stack={xray.stack} layer={layer} filter={filter} file={file} onFile={setFile} />
      )}
      {file ? <Content key={`${file.layer} ${file.path}`} stack={xray.stack} file={file} onClose={() => setFile(undefined)} /> : null}
    </section>
  );
}

interface EntriesProps extends Pick<FilesProps, 'layer' | 'filter'> {
  readonly stack: string;
  readonly file: ChosenFile | undefined;
  readonly onFile: (file: ChosenFile) => void;
}

function Entries({ stack, layer, filter, file, onFile }: EntriesProps) {
  const [path, setPath] = useState('/');
  const isSearch = filter !== '';
  const listed = useAnswer<'xrayDirectory'>(
    isSearch ? undefined : { do: 'xrayDirectory', stack, path, ...(layer === undefined ? {} : { layer }) },
  );
  const found = useAnswer<'xrayFind'>(isSearch ? { do: 'xrayFind', stack, text: filter.slice(0, 200) } : undefined);
  return (
    <Answered asked={isSearch ? found : listed} waiting="Reading the directory" rows={5}>
      {({ entries, total }) => (
        <XrayEntries
          entries={entries}
          total={total}
          {...(isSearch ? {} : { path })}
          inAll={isSearch || layer === undefined}
          chosen={file}
          onDirectory={setPath}
          onFile={onFile}
        />
      )}
    </Answered>
  );
}

function Content({ stack, file, onClose }: { readonly stack: string; readonly file: ChosenFile; readonly onClose: () => void }) {
  const [offset, setOffset] = useState(0);
  const asked = useAnswer<'xrayFile'>({ do: 'xrayFile', stack, ...file, offset });
  return (
    <Answered asked={asked} waiting="Reading the file" rows={3}>
      {(answer) => <XrayContent file={answer} onOffset={setOffset} onClose={onClose} />}
    </Answered>
  );
}

function Difference({ xray, other }: { readonly xray: Xray; readonly other: string }) {
  const against = useAnswer<'xray'>({ do: 'xray', image: other });
  const stack = against.answer?.stack;
  const diff = useAnswer<'xrayDiff'>(stack === undefined ? undefined : { do: 'xrayDiff', stack: xray.stack, other: stack });
  return (
    <Answered asked={against} waiting="Looking through the layers" rows={5}>
      {() => (
        <Answered asked={diff} waiting="Comparing" rows={5}>
          {(answer) => <XrayDifference diff={answer} names={[xray.image, other]} />}
        </Answered>
      )}
    </Answered>
  );
}

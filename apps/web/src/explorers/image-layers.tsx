/**
 * The layers explorer's other side: the layers of a whole image, file by file.
 *
 * Knows: which image, layer, directory and file are looked at. Does not know: how any of it is drawn.
 */
'use client';
import type { ListedImage, Xray } from '@slipway/contracts';
import { EmptyState, ExplorerFrame, Skeleton, Switch } from '@slipway/ui';
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
import { imageChange } from './image-changes.ts';
import { ImageChooser } from './image-chooser.tsx';
import { useAnswer } from './use-answer.ts';

const ABOUT =
  'Each layer holds only what its build step wrote: files, and whiteouts for what it deletes. What a later layer covers stays in the image: it is stored, fetched, and never seen.';

type View = 'files' | 'wasted' | 'difference';

export default function ImageLayers({ side }: { readonly side: ReactNode }) {
  const as = useView((state) => state.as);
  const machine = useMoment((state) => state.world.machine);
  const change = useMoment((state) => imageChange(state.world));
  const chosen = useView((state) => state.images);
  const [filter, setFilter] = useState('');
  const list = useAnswer<'imageList'>({ do: 'imageList' }, change);
  const images = (list.answer?.images ?? []).filter(({ local }) => local);
  const names = namesOf(chosen, images);
  const [name, other] = names;
  return (
    <ExplorerFrame
      title="Layers"
      about={ABOUT}
      provenance="live"
      provenanceFacts={machine ? [`kernel ${machine.kernel}`, machine.engine] : []}
      as={as}
      onAs={(next) => useView.setState({ as: next })}
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
        <Layers key={name} name={name} other={other} change={change} filter={filter.trim()} as={as} />
      ) : list.failure ? (
        <EmptyState title="The machine’s images cannot be listed.">{list.failure}</EmptyState>
      ) : list.answer ? (
        <EmptyState title="No image, no layers." command="docker pull layers-demo" onType={typeCommand}>
          The layers of an image that the engine has are looked into where they lie.
        </EmptyState>
      ) : (
        <Skeleton rows={7} label="Asking for images" />
      )}
    </ExplorerFrame>
  );
}

/** Only what the engine has unpacked has layers to look into. */
function namesOf(chosen: readonly string[] | undefined, images: readonly ListedImage[]): readonly string[] {
  const there = (chosen ?? []).filter((name) => images.some((image) => image.name === name));
  return there.length > 0 ? there : images.slice(0, 1).map((image) => image.name);
}

interface LayersProps {
  readonly name: string;
  readonly other: string | undefined;
  readonly change: string;
  /** A part of paths, looked for in all layers; `''` for none. */
  readonly filter: string;
  readonly as: 'picture' | 'text';
}

function Layers({ name, other, change, filter, as }: LayersProps) {
  const [layer, setLayer] = useState<number>();
  const xray = useAnswer<'xray'>({ do: 'xray', image: name }, change);
  if (xray.failure !== undefined) return <EmptyState title="These layers cannot be looked into.">{xray.failure}</EmptyState>;
  if (xray.answer === undefined) return <Skeleton rows={7} label="Looking through the layers" />;
  const { fileBytes, wastedBytes, layers, truncated } = xray.answer;
  const stack = { xray: xray.answer, layer, onLayer: setLayer };
  return (
    <>
      <p className="image-summary" role="status">
        {wasteSentence(wastedBytes, fileBytes, layers.length)}
        {truncated ? ' There are more names than are looked at: all of this is a lower bound.' : ''}
      </p>
      <div className="xray-panes">
        {as === 'text' ? <XrayText {...stack} /> : <XrayStack {...stack} />}
        <Files xray={xray.answer} layer={layer} other={other} filter={filter} />
      </div>
    </>
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
  const { answer, failure } = isSearch ? found : listed;
  if (failure !== undefined) return <p className="browser-note">{failure}</p>;
  return (
    <XrayEntries
      entries={answer?.entries}
      total={answer?.total ?? 0}
      {...(isSearch ? {} : { path })}
      inAll={isSearch || layer === undefined}
      chosen={file}
      onDirectory={setPath}
      onFile={onFile}
    />
  );
}

function Content({ stack, file, onClose }: { readonly stack: string; readonly file: ChosenFile; readonly onClose: () => void }) {
  const [offset, setOffset] = useState(0);
  const { answer, failure } = useAnswer<'xrayFile'>({ do: 'xrayFile', stack, ...file, offset });
  if (failure !== undefined) return <p className="browser-note">{failure}</p>;
  return answer ? <XrayContent file={answer} onOffset={setOffset} onClose={onClose} /> : <Skeleton rows={3} label="Reading the file" />;
}

function Difference({ xray, other }: { readonly xray: Xray; readonly other: string }) {
  const against = useAnswer<'xray'>({ do: 'xray', image: other });
  const stack = against.answer?.stack;
  const { answer, failure } = useAnswer<'xrayDiff'>(stack === undefined ? undefined : { do: 'xrayDiff', stack: xray.stack, other: stack });
  const problem = against.failure ?? failure;
  if (problem !== undefined) return <p className="browser-note">{problem}</p>;
  return answer ? <XrayDifference diff={answer} names={[xray.image, other]} /> : <Skeleton rows={5} label="Comparing" />;
}

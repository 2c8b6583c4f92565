/**
 * Explorer: an image from its name down, or two beside each other.
 *
 * Knows: which images are chosen, and when to ask again. Does not know: how parts are drawn.
 */
'use client';
import type { ImageGraph, ListedImage } from '@slipway/contracts';
import { Button, EmptyState, formatBytes } from '@slipway/ui';
import { ImageDetails, ImagePicture, ImageText, type JoinedImages, joinImages, sharedBytes } from '@slipway/ui/images';
import { useMemo, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { useMoment, useView } from '../state/stores.ts';
import { Answered } from './answered.tsx';
import { imageChange } from './image-changes.ts';
import { ImageChooser } from './image-chooser.tsx';
import { NowFrame } from './scene.tsx';
import { type Asked, useAnswer } from './use-answer.ts';

const ABOUT =
  'A name leads to a manifest, by way of an index where there are several platforms; the manifest names a config and the layers, each by the digest of its bytes. What two images have in common has one digest, and is stored and fetched once.';
const NOBODY: readonly string[] = [];
const OF_LIST = { failed: 'The machine’s images cannot be listed.', waiting: 'Asking for images' };
const OF_IMAGE = { failed: 'This image cannot be read.', waiting: 'Reading the image' };

export default function ImageGraphExplorer() {
  const change = useMoment((state) => imageChange(state.world));
  const chosen = useView((state) => state.images) ?? NOBODY;
  const [asks, setAsks] = useState(0);
  const [filter, setFilter] = useState('');
  const since = `${change} ${asks}`;
  const list = useAnswer<'imageList'>({ do: 'imageList' }, since);
  const images = list.answer?.images ?? [];
  const names = chosenNames(chosen, images);
  const graphs = useGraphs(names, since);
  const notes = list.answer?.notes ?? NOBODY;
  return (
    <NowFrame
      title="Image graph"
      about={ABOUT}
      filter={filter}
      onFilter={setFilter}
      tools={
        <>
          <ImageChooser images={images} names={names} onChoose={choose} />
          <Button tone="quiet" onClick={() => setAsks(asks + 1)} aria-busy={list.isAsking}>
            Look again
          </Button>
        </>
      }
    >
      {/* One for both questions, so that what waits for the list goes on waiting for the image. */}
      <Answered asked={names.length > 0 ? graphs : noGraphs(list)} {...(names.length > 0 ? OF_IMAGE : OF_LIST)}>
        {(all) =>
          all.length > 0 ? (
            <Graph graphs={all} notes={notes} filter={filter} />
          ) : (
            <EmptyState title="No image yet." command="docker pull busybox" onType={typeCommand}>
              Whatever is pulled, built or loaded can be looked at here.
            </EmptyState>
          )
        }
      </Answered>
    </NowFrame>
  );
}

function choose(images: readonly string[]): void {
  useView.setState(({ part: _part, ...rest }) => ({ ...rest, images }), true);
}

/** What was chosen, as far as it is there; else the first image of the engine, else the first of the registry. */
function chosenNames(chosen: readonly string[], images: readonly ListedImage[]): readonly string[] {
  if (chosen.length > 0) return chosen;
  const first = images.find(({ local }) => local) ?? images[0];
  return first ? [first.name] : [];
}

function lookInto(image: string): void {
  useView.setState({ panel: 'layers', layersOf: 'image', images: [image] });
}

/** Of none, one or two images. */
function useGraphs([first, second]: readonly string[], since: string): Asked<readonly ImageGraph[]> {
  const one = useAnswer<'imageGraph'>(first === undefined ? undefined : { do: 'imageGraph', image: first }, since);
  const two = useAnswer<'imageGraph'>(second === undefined ? undefined : { do: 'imageGraph', image: second }, since);
  return useMemo(() => bothOf(one, two), [one, two]);
}

/** No image was found to look into: because there is none, or none is known of. */
function noGraphs({ answer, ...asked }: Asked<unknown>): Asked<readonly ImageGraph[]> {
  return { ...asked, ...(answer === undefined ? {} : { answer: [] }) };
}

/** What there is of two answers, and why there is not more. */
function bothOf(one: Asked<ImageGraph>, two: Asked<ImageGraph>): Asked<readonly ImageGraph[]> {
  const graphs = [one.answer, two.answer].filter((graph) => graph !== undefined);
  const failure = one.failure ?? two.failure;
  return { ...(graphs.length > 0 && { answer: graphs }), ...(failure && { failure }), isAsking: one.isAsking || two.isAsking };
}

interface GraphProps {
  /** One or two. */
  readonly graphs: readonly ImageGraph[];
  /** What the list of images lacks. */
  readonly notes: readonly string[];
  readonly filter: string;
}

function Graph({ graphs, notes, filter }: GraphProps) {
  const as = useView((state) => state.as);
  const part = useView((state) => state.part);
  const [opened, setOpened] = useState<readonly string[]>(NOBODY);
  const onSelect = (digest: string) => {
    setOpened([...opened.slice(-20), digest]);
    useView.setState({ part: digest });
  };
  const joined = useMemo(() => joinImages(graphs, part === undefined ? opened : [...opened, part]), [graphs, opened, part]);
  const view = { joined, names: graphs.map(({ image }) => image), filter, selected: part, onSelect };
  return (
    <>
      <p className="image-summary" role="status">
        {summary(graphs, joined)}
        {[...graphs.flatMap((graph) => graph.notes), ...notes].map((note) => ` ${note}.`)}
      </p>
      <div className="image-graph-panes">
        {as === 'text' ? <ImageText {...view} /> : <ImagePicture {...view} />}
        <ImageDetails {...view} onType={typeCommand} onLook={lookInto} />
      </div>
    </>
  );
}

function summary(graphs: readonly ImageGraph[], joined: JoinedImages): string {
  const layers = [...joined.parts.values()].filter(({ kind }) => kind === 'layer');
  const bytes = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (graphs.length < 2) return `${joined.parts.size} parts, ${layers.length} layers, ${formatBytes(bytes)} as stored.`;
  const shared = layers.filter(({ sides }) => sides.length > 1).length;
  return `${shared} of ${layers.length} layers are in both: ${formatBytes(sharedBytes(joined))} stored and fetched once.`;
}

/**
 * Explorer: of which layers a container's file system is made, and what it wrote.
 *
 * Knows: stacks of the journal, which container is meant. Does not know: how slabs are drawn.
 */
'use client';
import { containerNames, type LayersFact, layerStacks } from '@slipway/journal';
import { EmptyState, LayerBrowser, LayersPicture, LayersText, Skeleton, Switch, visible } from '@slipway/ui';
import { lazy, type ReactNode, Suspense, useMemo, useState } from 'react';
import { typeCommand } from '../state/lab.ts';
import { select, useView } from '../state/stores.ts';
import { SceneFrame, useScene } from './scene.tsx';
import { useAnswer } from './use-answer.ts';

const ABOUT =
  'An overlay mount shows several directories as one: the image’s layers, read-only and shared, and on top a writable one per container. Writing copies up, deleting leaves a whiteout; the image’s own files never change.';

const ImageLayers = lazy(() => import('./image-layers.tsx'));

/** Of a container, live; or of a whole image. */
export function LayersExplorer() {
  const of = useView((state) => state.layersOf);
  const side = (
    <Switch
      label="Layers of"
      value={of}
      onChange={(next) => useView.setState({ layersOf: next })}
      options={[
        { value: 'container', label: 'Container' },
        { value: 'image', label: 'Image' },
      ]}
    />
  );
  if (of === 'container') return <ContainerLayers side={side} />;
  return (
    <Suspense fallback={<Skeleton rows={7} label="Loading the layers of images" />}>
      <ImageLayers side={side} />
    </Suspense>
  );
}

function ContainerLayers({ side }: { readonly side: ReactNode }) {
  const { world, nowMs, selection, as, container, onSelect } = useScene();
  const [filter, setFilter] = useState('');
  const stacks = useMemo(() => layerStacks(world, nowMs), [world, nowMs]);
  const names = useMemo(() => containerNames(world), [world]);
  const living = new Set(world.containers.filter((entry) => entry.goneAtMs === undefined).map((entry) => entry.fact.id));
  // Without a choice, the latest that is there: a build's steps come and go.
  const stack =
    stacks.find((entry) => entry.container === container) ?? stacks.findLast((entry) => living.has(entry.container)) ?? stacks.at(-1);
  const [isOpen, setOpen] = useState(false);
  const [place, setPlace] = useState({ container: '', path: '/' });
  const path = place.container === stack?.container ? place.path : '/';
  const fact = isOpen ? stack?.fact : undefined;
  const looked = useAnswer<'layers'>(fact && { do: 'layers', directories: directoriesOf(fact), path }, fact);
  const view = stack ? { stack, names, filter, selection, onSelect } : undefined;
  return (
    <SceneFrame
      title="Layers"
      about={ABOUT}
      filter={filter}
      onFilter={setFilter}
      tools={
        <>
          {side}
          {stacks.length > 1 && stack ? (
            <label className="chooser">
              <span>container</span>
              <select value={stack.container} onChange={(event) => select({ kind: 'container', id: event.target.value })}>
                {stacks.map((entry) => (
                  <option key={entry.container} value={entry.container}>
                    {visible(entry.containerName)}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
        </>
      }
    >
      {!view ? (
        <EmptyState title="No container, no layers." command="docker run -d --name web busybox sleep 300" onType={typeCommand}>
          Each container gets a writable directory of its own over the image’s.
        </EmptyState>
      ) : as === 'text' ? (
        <LayersText {...view} />
      ) : (
        <LayersPicture {...view} />
      )}
      {view ? (
        <LayerBrowser
          isOpen={isOpen}
          onToggle={() => setOpen(!isOpen)}
          path={path}
          layers={looked.answer?.layers}
          {...(looked.failure ? { failure: looked.failure.message } : {})}
          filter={filter}
          onOpen={(next) => setPlace({ container: view.stack.container, path: next })}
        />
      ) : null}
      {view?.stack.fact.mountLine ? (
        <details className="mount-line">
          <summary>
            the mount, from /proc/PID/mountinfo <code>{visible(view.stack.fact.mountLine)}</code>
          </summary>
          <code>{visible(view.stack.fact.mountLine)}</code>
        </details>
      ) : null}
      {view?.stack.fact.truncated ? <p className="explorer-hint warn">The writable layer holds more than the 500 entries shown.</p> : null}
    </SceneFrame>
  );
}

/** Lowest first, the writable one last. */
function directoriesOf({ lower, upperDirectory }: LayersFact): string[] {
  return [...lower.map(({ directory }) => directory), upperDirectory];
}

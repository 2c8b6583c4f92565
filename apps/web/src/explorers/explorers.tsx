/**
 * The explorers' pane: the choice, the chosen explorer, and the evidence of what is selected.
 *
 * Knows: which explorer is shown, the shared selection. Does not know: how each draws.
 */
'use client';
import type { PanelName } from '@slipway/lessons/types';
import { containerOf, EvidencePanel, evidenceFor, PANEL_TITLES, type Selection, Skeleton, visible } from '@slipway/ui';
import { type ComponentType, lazy, Suspense, useMemo } from 'react';
import { typeCommand } from '../state/lab.ts';
import { select, useMoment, useView } from '../state/stores.ts';
import { CallsExplorer } from './calls-explorer.tsx';
import { CgroupsExplorer } from './cgroups-explorer.tsx';
import { LayersExplorer } from './layers-explorer.tsx';
import { NamespacesExplorer } from './namespaces-explorer.tsx';
import { PANEL_ID, PanelMenu, PanelTabs, tabId } from './panel-choice.tsx';
import { ProcessesExplorer } from './processes-explorer.tsx';

/** What not every visit needs is loaded when it is first opened. */
const BirthExplorer = lazy(() => import('./birth-explorer.tsx'));
const ImageGraphExplorer = lazy(() => import('./image-graph-explorer.tsx'));
const BuildExplorer = lazy(() => import('./build-explorer.tsx'));
const DiskExplorer = lazy(() => import('./disk-explorer.tsx'));
const PullExplorer = lazy(() => import('./pull-explorer.tsx'));

const EXPLORERS: Readonly<Record<PanelName, ComponentType>> = {
  processes: ProcessesExplorer,
  namespaces: NamespacesExplorer,
  cgroups: CgroupsExplorer,
  layers: LayersExplorer,
  'image-graph': ImageGraphExplorer,
  calls: CallsExplorer,
  birth: BirthExplorer,
  'pull-timeline': PullExplorer,
  'build-graph': BuildExplorer,
  disk: DiskExplorer,
};
/** @param by how an explorer is chosen: with a menu where there is no room for tabs */
export function Explorers({ by = 'tabs' }: { readonly by?: 'tabs' | 'menu' }) {
  const panel = useView((state) => state.panel);
  const Explorer = EXPLORERS[panel];
  const labelled = by === 'tabs' ? ({ role: 'tabpanel', 'aria-labelledby': tabId(panel) } as const) : {};
  return (
    <div className="explorers">
      <div className="tabs">
        {by === 'tabs' ? <PanelTabs /> : <PanelMenu />}
        <span className="spacer" />
        <SelectedContainer />
      </div>
      <div className="explorer-panel" id={PANEL_ID} {...labelled}>
        <Suspense fallback={<Skeleton rows={7} label={`Loading ${PANEL_TITLES[panel]}`} />}>
          <Explorer />
        </Suspense>
        <SelectedEvidence />
      </div>
    </div>
  );
}

/** The container that is selected everywhere, with a way to let it go. */
function SelectedContainer() {
  const world = useMoment((state) => state.world);
  const selection = useView((state) => state.selection);
  const id = containerOf(world, selection);
  const name = world.containers.find((entry) => entry.fact.id === id)?.fact.name;
  if (name === undefined) return null;
  return (
    <button type="button" className="chip" title="Selected in every explorer; click to clear" onClick={() => select(undefined)}>
      <span className="sr-only">Clear selection of container </span>
      <span className="chip-text">{visible(name)}</span> <span aria-hidden="true">×</span>
    </button>
  );
}

/** An explorer shows the proof of what it draws; what was selected elsewhere stays selected, without its proof. */
const EVIDENCE: Readonly<Record<PanelName, readonly Selection['kind'][]>> = {
  processes: ['process', 'container'],
  namespaces: ['namespace'],
  cgroups: [],
  layers: ['file'],
  'image-graph': [],
  calls: ['span'],
  birth: [],
  'pull-timeline': ['span'],
  'build-graph': ['span'],
  disk: [],
};

function SelectedEvidence() {
  const panel = useView((state) => state.panel);
  const world = useMoment((state) => state.world);
  const selection = useView((state) => state.selection);
  const evidence = useMemo(() => (selection ? evidenceFor(world, selection) : undefined), [world, selection]);
  if (!selection || !EVIDENCE[panel].includes(selection.kind)) return null;
  return <EvidencePanel evidence={evidence} onType={typeCommand} onClose={() => select(undefined)} />;
}

/**
 * The explorers' pane: tabs, the chosen explorer, and the evidence of what is selected.
 *
 * Knows: which explorer is shown, the shared selection. Does not know: how each draws.
 */
'use client';
import type { PanelName } from '@slipway/lessons/types';
import { containerOf, EvidencePanel, evidenceFor, PANEL_TITLES, type Selection, Skeleton, visible } from '@slipway/ui';
import { type ComponentType, type KeyboardEvent, lazy, Suspense, useMemo } from 'react';
import { typeCommand } from '../state/lab.ts';
import { PANEL_ORDER } from '../state/panel-order.ts';
import { select, useMoment, useView } from '../state/stores.ts';
import { CallsExplorer } from './calls-explorer.tsx';
import { CgroupsExplorer } from './cgroups-explorer.tsx';
import { LayersExplorer } from './layers-explorer.tsx';
import { NamespacesExplorer } from './namespaces-explorer.tsx';
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
export function Explorers() {
  const panel = useView((state) => state.panel);
  const Explorer = EXPLORERS[panel];
  return (
    <div className="explorers">
      <div className="tabs">
        <div role="tablist" aria-label="Explorers" onKeyDown={tabKeys}>
          {PANEL_ORDER.map((name, index) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={`tab-${name}`}
              aria-selected={panel === name}
              aria-controls="explorer-panel"
              tabIndex={panel === name ? 0 : -1}
              title={`${PANEL_TITLES[name]} (${(index + 1) % 10})`}
              onClick={() => useView.setState({ panel: name })}
            >
              {PANEL_TITLES[name]}
            </button>
          ))}
        </div>
        <span className="spacer" />
        <SelectedContainer />
      </div>
      <div className="explorer-panel" role="tabpanel" id="explorer-panel" aria-labelledby={`tab-${panel}`}>
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
      {visible(name)} <span aria-hidden="true">×</span>
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

function tabKeys(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
  const { panel } = useView.getState();
  const step = event.key === 'ArrowRight' ? 1 : PANEL_ORDER.length - 1;
  const next = PANEL_ORDER[(PANEL_ORDER.indexOf(panel) + step) % PANEL_ORDER.length] ?? 'processes';
  useView.setState({ panel: next });
  event.currentTarget.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  event.preventDefault();
}

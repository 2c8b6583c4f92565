/** Explorers as they stand in tabs and menu, in groups; the digits choose them in the same order: 1 … 9, 0. */
import type { PanelName } from '@slipway/lessons/types';

export interface PanelGroup {
  readonly title: string;
  readonly panels: readonly PanelName[];
}

export const PANEL_GROUPS: readonly PanelGroup[] = [
  { title: 'What runs', panels: ['processes', 'namespaces', 'cgroups', 'layers'] },
  { title: 'How it came about', panels: ['calls', 'birth'] },
  { title: 'Images', panels: ['image-graph', 'pull-timeline', 'build-graph', 'disk'] },
];

export const PANEL_ORDER: readonly PanelName[] = PANEL_GROUPS.flatMap(({ panels }) => panels);

/** The digit that chooses it. */
export function panelKey(panel: PanelName): string {
  return String((PANEL_ORDER.indexOf(panel) + 1) % 10);
}

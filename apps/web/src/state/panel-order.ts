/** Explorers as their tabs stand, and as the digits choose them: 1 … 9, 0. */
import type { PanelName } from '@slipway/lessons/types';

export const PANEL_ORDER = [
  'processes',
  'namespaces',
  'cgroups',
  'layers',
  'image-graph',
  'calls',
  'birth',
  'pull-timeline',
  'build-graph',
  'disk',
] as const satisfies readonly PanelName[];

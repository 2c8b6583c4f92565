/**
 * Where a build's stages stand: what is needed to the left of what needs it, or above it where there is no room.
 *
 * Knows: sizes of headings and rows, so that nothing has to be measured. Pure.
 * Does not know: how a stage is drawn.
 */
import type { BuildStage, BuildStep, BuildView, CacheMiss } from '@slipway/journal';

export interface StageBox {
  readonly stage: BuildStage;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface BuildLayout {
  readonly boxes: readonly StageBox[];
  /** SVG paths from what is needed to what needs it. */
  readonly edges: readonly { readonly key: string; readonly path: string; readonly isLeftOut: boolean }[];
  readonly width: number;
  readonly height: number;
}

export const HEAD_HEIGHT = 46;
export const ROW_HEIGHT = 28;
export const NOTE_HEIGHT = 20;
const PADDING = 6;
const GAP = { x: 56, y: 22 };
const MIN_WIDTH = 290;
const MAX_WIDTH = 460;
const GUTTER = 22;

/** `width`: room there is, CSS pixels. */
export function layoutBuild({ stages }: Pick<BuildView, 'stages'>, width: number): BuildLayout {
  const levels = levelsOf(stages);
  const columns = Math.max(1, ...[...levels.values()].map((level) => level + 1));
  const each = Math.floor((width - (columns - 1) * GAP.x) / columns);
  const isWide = columns > 1 && each >= MIN_WIDTH;
  const boxWidth = isWide || columns === 1 ? Math.min(MAX_WIDTH, Math.max(each, 200)) : Math.max(200, Math.min(MAX_WIDTH, width - GUTTER));
  const boxes = isWide || columns === 1 ? inColumns(stages, levels, boxWidth) : inOneColumn(stages, levels, boxWidth);
  const byStage = new Map(boxes.map((box) => [box.stage.stage, box]));
  const edges = boxes.flatMap((box) =>
    box.stage.needs.flatMap((need) => {
      const from = byStage.get(need);
      if (from === undefined) return [];
      const path = isWide || columns === 1 ? across(from, box) : down(from, box);
      return [{ key: `${need} ${box.stage.stage}`, path, isLeftOut: box.stage.state === 'left-out' }];
    }),
  );
  return {
    boxes,
    edges,
    width: Math.max(0, ...boxes.map((box) => box.x + box.width)),
    height: Math.max(0, ...boxes.map((box) => box.y + box.height)),
  };
}

/** Stage → how many it has to wait for, one after another. */
function levelsOf(stages: readonly BuildStage[]): ReadonlyMap<number, number> {
  const levels = new Map<number, number>();
  for (const { stage, needs } of stages) levels.set(stage, Math.max(0, ...needs.map((need) => (levels.get(need) ?? -1) + 1)));
  return levels;
}

function inColumns(stages: readonly BuildStage[], levels: ReadonlyMap<number, number>, width: number): StageBox[] {
  const reached = new Map<number, number>();
  return stages.map((stage) => {
    const level = levels.get(stage.stage) ?? 0;
    const y = reached.get(level) ?? 0;
    const height = heightOf(stage);
    reached.set(level, y + height + GAP.y);
    return { stage, x: level * (width + GAP.x), y, width, height };
  });
}

function inOneColumn(stages: readonly BuildStage[], levels: ReadonlyMap<number, number>, width: number): StageBox[] {
  let y = 0;
  const sorted = stages.toSorted((a, b) => (levels.get(a.stage) ?? 0) - (levels.get(b.stage) ?? 0) || a.stage - b.stage);
  return sorted.map((stage) => {
    const box = { stage, x: GUTTER, y, width, height: heightOf(stage) };
    y += box.height + GAP.y;
    return box;
  });
}

function heightOf({ steps }: BuildStage): number {
  return HEAD_HEIGHT + PADDING + steps.reduce((sum, step) => sum + stepHeight(step), 0);
}

export function stepHeight(step: BuildStep): number {
  return ROW_HEIGHT + (stepNote(step) === undefined ? 0 : NOTE_HEIGHT);
}

function across(from: StageBox, to: StageBox): string {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + HEAD_HEIGHT / 2, to.x, to.y + HEAD_HEIGHT / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  return `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
}

/** Through the gutter on the left. */
function down(from: StageBox, to: StageBox): string {
  const [y1, y2] = [from.y + HEAD_HEIGHT / 2, to.y + HEAD_HEIGHT / 2];
  return `M${from.x},${y1} C${from.x - GUTTER},${y1} ${to.x - GUTTER},${y2} ${to.x},${y2}`;
}

/** What stands below a step: why it was not kept, or what went wrong. */
export function stepNote({ error, miss }: BuildStep): string | undefined {
  return error ?? (miss && missSentence(miss));
}

export function missSentence({ reason, detail = [] }: CacheMiss): string {
  const names = detail.join(', ');
  switch (reason) {
    case 'unwanted':
      return 'done again: the build asked for no cache';
    case 'first':
      return 'done for the first time, as far as is known';
    case 'instruction':
      return `another instruction stood here: ${names}`;
    case 'files':
      return `done again: changed ${names}`;
    case 'settings':
      return `done again: other ${names}`;
    case 'above':
      return 'done again: it stands on other layers';
    case 'gone':
      return 'done again: its result was not kept';
  }
}

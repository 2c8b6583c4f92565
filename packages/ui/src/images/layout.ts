/**
 * Where the parts of one image, or of two beside each other, are drawn.
 *
 *     ┌ first ──────┐ ┌ second ─────┐
 *        index           index
 *      m  m  m          m  m
 *     ├ config          config ┤
 *     ├ own layers  own layers ┤
 *     ├──── what both have ────┤      one box, reached from both sides
 *
 * Knows: boxes, and lines between them. Pure: the same parts and width give the same picture.
 * Does not know: colours or texts.
 */
import { linkVertical, path as newPath } from 'd3';
import type { ImagePart, JoinedImages, Lane, Side } from './model.ts';

export interface PartBox {
  readonly part: ImagePart;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** In a stack: how far from its bottom, for its colour; -1 for what is no layer. */
  readonly level: number;
}

export interface PartLink {
  readonly from: string;
  readonly to: string;
  readonly side: Side;
  /** An SVG path. */
  readonly line: string;
}

export interface GraphLayout {
  /** In reading order. */
  readonly boxes: readonly PartBox[];
  readonly links: readonly PartLink[];
  readonly height: number;
  /** Manifests of each image that are left out until all are asked for. */
  readonly leftOut: number;
}

const GAP = 10;
const TIER_GAP = 30;
const SPINE = 26;
const DOCUMENT = { width: 210, height: 46 } as const;
const MANIFEST = { width: 150, height: 46 } as const;
const LAYER_HEIGHT = 46;
const STACK_WIDTH = 460;
/** Of one image: what is wider leads the eye too far. */
const MOST_WIDTH = 540;
const MOST_MANIFESTS = 6;

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Area {
  readonly x: number;
  readonly width: number;
}

/** @param all every manifest of an index, however many there are */
export function layoutImages(joined: JoinedImages, { width, all }: { readonly width: number; readonly all: boolean }): GraphLayout {
  const plan = new Plan(joined.lanes, width);
  plan.tier((lane) => (lane.index ? [lane.index] : []), DOCUMENT);
  plan.tier((lane) => (all ? lane.manifests : someManifests(lane)), MANIFEST);
  plan.stack();
  return { boxes: plan.boxes, links: plan.links(), height: plan.y, leftOut: countLeftOut(joined.lanes, all) };
}

/** The open one is always among them. */
function someManifests({ manifests, open }: Lane): readonly ImagePart[] {
  if (manifests.length <= MOST_MANIFESTS) return manifests;
  const first = manifests.slice(0, MOST_MANIFESTS);
  return open === undefined || first.includes(open) ? first : [open, ...first.slice(1)];
}

function countLeftOut(lanes: readonly Lane[], all: boolean): number {
  return all ? 0 : lanes.reduce((sum, { manifests }) => sum + Math.max(0, manifests.length - MOST_MANIFESTS), 0);
}

class Plan {
  readonly boxes: PartBox[] = [];
  readonly #placed = new Map<string, PartBox>();
  readonly #lanes: readonly Lane[];
  readonly #whole: Area;
  y = GAP;

  constructor(lanes: readonly Lane[], width: number) {
    this.#lanes = lanes;
    this.#whole = { x: GAP, width: Math.max(0, Math.min(width, MOST_WIDTH * lanes.length) - 2 * GAP) };
  }

  /** Boxes side by side, each image's in its own half, below them those that both have. */
  tier(of: (lane: Lane) => readonly ImagePart[], size: Size): void {
    const { own, shared } = this.#sorted(of);
    const top = this.boxes.length === 0 ? this.y : this.y + TIER_GAP - GAP;
    const ends = own.map((parts, index) => this.#row(parts, { area: this.#half(index), top, size }));
    const end = Math.max(top, ...ends);
    const whole = this.#row(shared, { area: this.#whole, top: end, size });
    if (whole > top) this.y = whole;
  }

  /** Config and layers, one upon the other; what both images have stands below, once. */
  stack(): void {
    const { own, shared } = this.#sorted(({ stack }) => stack);
    const top = this.y + TIER_GAP - GAP;
    const ends = own.map((parts, index) => this.#column(parts, { area: this.#besideSpine(index), top, above: shared.length }));
    const between = { x: this.#whole.x + SPINE, width: this.#whole.width - 2 * SPINE };
    this.y = Math.max(top, ...ends);
    this.y = this.#column(shared, { area: centred(between, STACK_WIDTH), top: this.y, above: 0 });
  }

  links(): readonly PartLink[] {
    return this.#lanes.flatMap((lane) => [...this.#downwards(lane), ...this.#along(lane)]);
  }

  #sorted(of: (lane: Lane) => readonly ImagePart[]) {
    const lists = this.#lanes.map((lane) => of(lane).filter(({ digest }) => !this.#placed.has(digest)));
    const [first = [], second = []] = lists;
    const both = new Set(this.#lanes.length > 1 ? first.filter((part) => second.includes(part)) : []);
    return { own: lists.map((parts) => parts.filter((part) => !both.has(part))), shared: [...both] };
  }

  #half(index: number): Area {
    if (this.#lanes.length < 2) return this.#whole;
    const width = (this.#whole.width - GAP) / 2;
    return { x: this.#whole.x + index * (width + GAP), width };
  }

  /** The spine runs along the outer edge. */
  #besideSpine(index: number): Area {
    const { x, width } = this.#half(index);
    return { x: index === 0 ? x + SPINE : x, width: Math.min(STACK_WIDTH, Math.max(0, width - SPINE)) };
  }

  #row(parts: readonly ImagePart[], place: { readonly area: Area; readonly top: number; readonly size: Size }) {
    const { area, top, size } = place;
    const width = Math.min(size.width, area.width);
    const perRow = Math.max(1, Math.floor((area.width + GAP) / (width + GAP)));
    for (const [index, part] of parts.entries()) {
      const inRow = Math.min(perRow, parts.length - Math.floor(index / perRow) * perRow);
      const left = area.x + (area.width - (inRow * (width + GAP) - GAP)) / 2;
      const y = top + Math.floor(index / perRow) * (size.height + GAP);
      this.#put({ part, x: left + (index % perRow) * (width + GAP), y, width, height: size.height, level: -1 });
    }
    return top + Math.ceil(parts.length / perRow) * (size.height + GAP);
  }

  #column(parts: readonly ImagePart[], place: { readonly area: Area; readonly top: number; readonly above: number }): number {
    const { area, top, above } = place;
    const { x, width } = area;
    for (const [index, part] of parts.entries()) {
      const level = part.kind === 'layer' ? parts.length - 1 - index + above : -1;
      this.#put({ part, x, y: top + index * (LAYER_HEIGHT + 4), width, height: LAYER_HEIGHT, level });
    }
    return top + parts.length * (LAYER_HEIGHT + 4) + (parts.length > 0 ? GAP : 0);
  }

  #put(box: PartBox): void {
    this.boxes.push(box);
    this.#placed.set(box.part.digest, box);
  }

  #downwards({ side, index, manifests }: Lane): readonly PartLink[] {
    const from = index && this.#placed.get(index.digest);
    if (from === undefined) return [];
    const draw = linkVertical<unknown, [number, number]>();
    return manifests.flatMap(({ digest }) => {
      const to = this.#placed.get(digest);
      if (to === undefined) return [];
      const line = draw({ source: [middle(from), from.y + from.height], target: [middle(to), to.y] });
      return line === null ? [] : [{ from: from.part.digest, to: digest, side, line }];
    });
  }

  /** Down the side of the stack, with a branch to each of its boxes. */
  #along({ side, open, stack }: Lane): readonly PartLink[] {
    const from = open && this.#placed.get(open.digest);
    if (from === undefined) return [];
    const isFirst = side === 0;
    const spine = isFirst ? this.#whole.x + 6 : this.#whole.x + this.#whole.width - 6;
    return stack.flatMap(({ digest }) => {
      const to = this.#placed.get(digest);
      if (to === undefined) return [];
      return [{ from: from.part.digest, to: digest, side, line: branch(from, to, { spine, isFirst }) }];
    });
  }
}

function branch(from: PartBox, to: PartBox, { spine, isFirst }: { readonly spine: number; readonly isFirst: boolean }): string {
  const [start, bottom] = [middle(from), from.y + from.height];
  const end = to.y + to.height / 2;
  const turn = bottom + TIER_GAP - GAP;
  const line = newPath();
  line.moveTo(start, bottom);
  line.bezierCurveTo(start, (bottom + turn) / 2, spine, (bottom + turn) / 2, spine, turn);
  line.lineTo(spine, end - 6);
  line.quadraticCurveTo(spine, end, spine + (isFirst ? 6 : -6), end);
  line.lineTo(isFirst ? to.x : to.x + to.width, end);
  return line.toString();
}

function middle({ x, width }: PartBox): number {
  return x + width / 2;
}

function centred({ x, width }: Area, most: number): Area {
  const taken = Math.min(width, most);
  return { x: x + (width - taken) / 2, width: taken };
}

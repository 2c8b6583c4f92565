/**
 * Images as parts that point at each other; of two images, what both have is one part.
 *
 * Knows: joining by digest, and which manifest of an index is looked into. Pure.
 * Does not know: where parts are drawn (layout.ts), where documents come from.
 */
import type { ImageGraph, ImageNode } from '@slipway/contracts';

/** Which of the images that are looked at, in their order. */
export type Side = 0 | 1;

export interface ImagePart extends ImageNode {
  /** Images that have it. */
  readonly sides: readonly Side[];
  /** Digests of the documents that point at it. */
  readonly namedBy: readonly string[];
}

/** What is shown of one image: of an index one manifest is open, the others are closed. */
export interface Lane {
  readonly side: Side;
  readonly index?: ImagePart;
  readonly manifests: readonly ImagePart[];
  readonly open?: ImagePart;
  /** The config, then the layers from the top down. */
  readonly stack: readonly ImagePart[];
}

export interface JoinedImages {
  readonly parts: ReadonlyMap<string, ImagePart>;
  readonly lanes: readonly Lane[];
}

const SIDES = [0, 1] as const satisfies readonly Side[];

/** @param chosen digests that were chosen, the latest last: they open their manifest */
export function joinImages(graphs: readonly ImageGraph[], chosen: readonly string[] = []): JoinedImages {
  const parts = new Map<string, ImagePart>();
  for (const [index, graph] of graphs.slice(0, SIDES.length).entries()) addGraph(parts, graph, SIDES[index] ?? 0);
  const lanes = graphs.slice(0, SIDES.length).map((graph, index) => laneOf(parts, graph, { side: SIDES[index] ?? 0, chosen }));
  return { parts, lanes };
}

function addGraph(parts: Map<string, ImagePart>, { nodes }: ImageGraph, side: Side): void {
  const parents = new Map<string, string[]>();
  for (const { digest, children = [] } of nodes) for (const child of children) parents.set(child, [...(parents.get(child) ?? []), digest]);
  for (const node of nodes) {
    const known = parts.get(node.digest);
    const namedBy = [...new Set([...(known?.namedBy ?? []), ...(parents.get(node.digest) ?? [])])];
    // Who has read more of it tells more: children, document, build step.
    parts.set(node.digest, { ...node, ...known, ...more(known, node), sides: [...(known?.sides ?? []), side], namedBy });
  }
}

function more(known: ImagePart | undefined, node: ImageNode): Partial<ImageNode> {
  return known?.children === undefined && node.children !== undefined ? node : {};
}

function laneOf(
  parts: ReadonlyMap<string, ImagePart>,
  graph: ImageGraph,
  { side, chosen }: { readonly side: Side; readonly chosen: readonly string[] },
): Lane {
  const root = parts.get(graph.root);
  if (root === undefined) return { side, manifests: [], stack: [] };
  const index = root.kind === 'index' ? root : undefined;
  const manifests = index ? childrenOf(parts, index) : [root];
  const open = openOf(manifests, chosen);
  const below = open ? childrenOf(parts, open) : [];
  const layers = below.filter(({ kind }) => kind === 'layer');
  const others = below.filter(({ kind }) => kind !== 'layer');
  return { side, ...(index ? { index } : {}), manifests, ...(open ? { open } : {}), stack: [...others, ...layers.toReversed()] };
}

/** The one that was chosen last, itself or something in it; else what this machine takes; else the first that was read. */
function openOf(manifests: readonly ImagePart[], chosen: readonly string[]): ImagePart | undefined {
  const last = chosen.findLast((digest) => manifests.some((part) => part.digest === digest));
  const readable = manifests.filter(({ children }) => children !== undefined);
  return readable.find(({ digest }) => digest === last) ?? readable.find(({ taken }) => taken) ?? readable[0];
}

function childrenOf(parts: ReadonlyMap<string, ImagePart>, part: ImagePart): readonly ImagePart[] {
  return (part.children ?? []).flatMap((digest) => parts.get(digest) ?? []);
}

/** What two images share, in bytes as stored: the layers that are there once. */
export function sharedBytes({ parts }: JoinedImages): number {
  return [...parts.values()]
    .filter(({ kind, sides }) => kind === 'layer' && sides.length > 1)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

const REGISTRY = 'http://127.0.0.1:5000';

/** The line that fetches it from the machine's registry; undefined where that does not have it. */
export function fetchCommand({ kind, mediaType, served }: ImageNode): string | undefined {
  if (served === undefined) return undefined;
  const address = `${REGISTRY}${served}`;
  // Whoever made the image chose the media type, and this is a line for a shell.
  const accept = /^[\w.+/-]+$/.test(mediaType) ? `-H 'Accept: ${mediaType}' ` : '';
  if (kind === 'index' || kind === 'manifest') return `curl -s ${accept}${address}`;
  if (kind !== 'layer') return `curl -s ${address}`;
  if (mediaType.endsWith('zstd')) return `curl -s ${address} | zstd -dc | tar -tv`;
  return `curl -s ${address} | tar -t${/gzip$/.test(mediaType) ? 'z' : ''}v`;
}

/** `index`, `manifest for linux/amd64`, `layer`. */
export function partTitle({ kind, platform, mediaType }: ImageNode): string {
  if (kind === 'manifest' && platform !== undefined) return `manifest for ${platform}`;
  return kind === 'other' ? (mediaType === '' ? 'something else' : mediaType) : kind;
}

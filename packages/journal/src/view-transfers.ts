/**
 * Pulls and pushes, each with its layers: what travelled when, what was here, what had to be tried again.
 *
 * Knows: the spans of SPANS.md.
 * Does not know: scales or colours. Times are the journal's.
 */
import { listIn, numberIn, type Payload, payloadsOf, textIn } from './payloads.ts';
import type { Span } from './types.ts';
import type { World, WorldTrace } from './world.ts';

/** A layer on its way, down or up. */
export interface LayerMove {
  readonly span: string;
  readonly startMs: number;
  /** Absent while it goes on. */
  readonly endMs?: number;
  /** `exists`: nothing travelled, it was there. `mounted`: the registry took it from another repository of its own. */
  readonly state: 'moving' | 'done' | 'exists' | 'mounted' | 'failed';
  /** Held, of the layer's size. */
  readonly bytes: number;
  /** Left by an earlier attempt. */
  readonly resumedAt: number;
  readonly retries: number;
  /** Another pull fetched it. */
  readonly isShared: boolean;
  /** Last byte here; from then on it is compared, synced and taken in. */
  readonly arrivedMs?: number;
  /** How it went, oldest first: journal times. */
  readonly points: readonly { readonly atMs: number; readonly bytes: number }[];
  /** Of what travelled; absent where nothing measurable did. */
  readonly bytesPerSecond?: number;
  /** With `mounted`: the repository that had it. */
  readonly from?: string;
  readonly error?: string;
}

export interface LayerUnpack {
  readonly span: string;
  readonly startMs: number;
  readonly endMs?: number;
  readonly state: 'going' | 'done' | 'exists' | 'failed';
  readonly error?: string;
}

/** A layer that could be read from the pull's end on, while it came. */
export interface LayerFill {
  readonly span: string;
  readonly startMs: number;
  /** Absent while it goes on. */
  readonly endMs?: number;
  /** Here, of the layer's size. */
  readonly bytes: number;
  /** Parts that somebody waited for; known at its end. */
  readonly reads?: number;
}

export interface TransferLayer {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly mediaType?: string;
  /** Absent while it waits for its turn. */
  readonly move?: LayerMove;
  readonly unpack?: LayerUnpack;
  /** Instead of both, of a lazy pull. */
  readonly fill?: LayerFill;
}

export interface Transfer {
  /** Of the span. */
  readonly id: string;
  readonly kind: 'pull' | 'push';
  readonly name: string;
  readonly startMs: number;
  readonly endMs?: number;
  /** Which registry answered. */
  readonly origin?: string;
  /** It answered in another's place. */
  readonly isMirror: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  /** Bottom first, as far as they are known. */
  readonly layers: readonly TransferLayer[];
  readonly totalBytes: number;
  /** Over the wire in this attempt. */
  readonly movedBytes: number;
  /** Not moved, because they were there: whole layers, and beginnings left by an earlier attempt. */
  readonly sparedBytes: number;
}

/** Every pull and push held, newest first. */
export function transfers(world: World, nowMs: number = world.atMs): readonly Transfer[] {
  const fills = world.traces.flatMap(({ spans }) => spans.filter(({ name }) => name === 'layer.fill'));
  return world.traces
    .flatMap((trace) =>
      trace.spans.filter(({ name }) => name === 'image.pull' || name === 'image.push').map((span) => read(trace, span, { nowMs, fills })),
    )
    .sort((a, b) => b.startMs - a.startMs);
}

/** What a transfer's own trace does not hold. */
interface Around {
  readonly nowMs: number;
  /** Of every pull; they go on after it, in traces of their own. */
  readonly fills: readonly Span[];
}

function read(trace: WorldTrace, span: Span, { nowMs, fills }: Around): Transfer {
  const children = trace.spans.filter(({ parent }) => parent === span.id);
  const resolved = children.find(({ name }) => name === 'image.resolve');
  const kind = span.name === 'image.push' ? 'push' : 'pull';
  const { request, response } = payloadsOf(span);
  const answer = kind === 'push' ? response : resolved ? payloadsOf(resolved).response : {};
  const own = kind === 'pull' ? fills.filter(({ startMs }) => startMs >= span.startMs) : [];
  const layers = readLayers(children, { nowMs, fills: own });
  const sum = (of: (layer: TransferLayer) => number) => layers.reduce((total, layer) => total + of(layer), 0);
  const origin = textIn(answer, 'origin');
  return {
    id: span.id,
    kind,
    name: textIn(request, kind === 'push' ? 'name' : 'reference') ?? '',
    startMs: span.startMs,
    ...(span.endMs !== undefined && { endMs: span.endMs }),
    ...(origin !== undefined && { origin }),
    isMirror: answer['isMirror'] === true,
    ...(span.error && { error: span.error }),
    layers,
    totalBytes: sum(({ sizeBytes }) => sizeBytes),
    movedBytes: sum(({ move, fill }) => (move && travelled(move) ? Math.max(0, move.bytes - move.resumedAt) : (fill?.bytes ?? 0))),
    sparedBytes: sum(({ move, sizeBytes }) => (move === undefined ? 0 : travelled(move) ? move.resumedAt : sizeBytes)),
  };
}

function travelled({ state }: LayerMove): boolean {
  return state !== 'exists' && state !== 'mounted';
}

function readLayers(children: readonly Span[], { nowMs, fills }: Around): readonly TransferLayer[] {
  const announced = children
    .flatMap((span) => (span.name === 'image.layers' ? [payloadsOf(span).response] : []))
    .sort((a, b) => (numberIn(a, 'from') ?? 0) - (numberIn(b, 'from') ?? 0))
    .flatMap((piece) => listIn(piece, 'layers'));
  const moves = byDigest(children.filter(({ name }) => name === 'layer.download' || name === 'layer.upload'));
  const unpacks = byDigest(children.filter(({ name }) => name === 'layer.unpack'));
  // The first since the pull began: a later pull's comes later.
  const lazy = byDigest(fills.toReversed());
  const known = new Map<string, Payload>();
  for (const payload of [...announced, ...[...moves, ...unpacks].map(([, span]) => payloadsOf(span).request)]) {
    const digest = textIn(payload, 'digest');
    if (digest !== undefined && !known.has(digest)) known.set(digest, payload);
  }
  return [...known].map(([digest, payload]) => {
    const [move, unpack] = [moves.get(digest), unpacks.get(digest)];
    const fill = move === undefined && unpack === undefined ? lazy.get(digest) : undefined;
    const sizeBytes = numberIn(payload, 'size') ?? numberIn(payload, 'sizeBytes') ?? 0;
    const mediaType = textIn(payload, 'mediaType');
    return {
      digest,
      sizeBytes,
      ...(mediaType !== undefined && { mediaType }),
      ...(move && { move: readMove(move, sizeBytes, nowMs) }),
      ...(unpack && { unpack: readUnpack(unpack) }),
      ...(fill && { fill: readFill(fill, sizeBytes) }),
    };
  });
}

/** The last of each: an image may have the same layer twice. */
function byDigest(spans: readonly Span[]): ReadonlyMap<string, Span> {
  return new Map(spans.map((span) => [textIn(payloadsOf(span).request, 'digest') ?? '', span]));
}

function readMove(span: Span, sizeBytes: number, nowMs: number): LayerMove {
  const { response } = payloadsOf(span);
  const points = pointsOf(response, span.startMs);
  const state = moveState(span, textIn(response, 'state'));
  const bytes = numberIn(response, 'bytes') ?? points.at(-1)?.bytes ?? (state === 'done' ? sizeBytes : 0);
  const resumedAt = numberIn(response, 'resumedAt') ?? 0;
  const arrived = numberIn(response, 'arrivedMs');
  const arrivedMs = arrived === undefined ? undefined : span.startMs + arrived;
  const seconds = ((arrivedMs ?? span.endMs ?? Math.max(nowMs, points.at(-1)?.atMs ?? 0)) - span.startMs) / 1000;
  const from = textIn(response, 'from');
  return {
    span: span.id,
    startMs: span.startMs,
    ...(span.endMs !== undefined && { endMs: span.endMs }),
    state,
    bytes,
    resumedAt,
    retries: numberIn(response, 'retries') ?? 0,
    isShared: response['isShared'] === true,
    ...(arrivedMs !== undefined && { arrivedMs }),
    points,
    ...(bytes > resumedAt && seconds > 0 && (state === 'moving' || state === 'done') && { bytesPerSecond: (bytes - resumedAt) / seconds }),
    ...(from !== undefined && { from }),
    ...(span.error && { error: span.error.message }),
  };
}

function moveState(span: Span, state: string | undefined): LayerMove['state'] {
  if (span.error) return 'failed';
  if (state === 'exists' || state === 'mounted') return state;
  return span.endMs === undefined ? 'moving' : 'done';
}

function pointsOf(response: Payload, startMs: number): LayerMove['points'] {
  const { points } = response;
  if (!Array.isArray(points)) return [];
  return points.flatMap((point: unknown) => {
    const [afterMs, bytes] = Array.isArray(point) ? (point as unknown[]) : [];
    return typeof afterMs === 'number' && typeof bytes === 'number' ? [{ atMs: startMs + afterMs, bytes }] : [];
  });
}

function readFill(span: Span, sizeBytes: number): LayerFill {
  const { response } = payloadsOf(span);
  const reads = numberIn(response, 'reads');
  return {
    span: span.id,
    startMs: span.startMs,
    ...(span.endMs !== undefined && { endMs: span.endMs }),
    bytes: span.endMs === undefined ? (numberIn(response, 'bytes') ?? 0) : sizeBytes,
    ...(reads !== undefined && { reads }),
  };
}

function readUnpack(span: Span): LayerUnpack {
  const state = textIn(payloadsOf(span).response, 'state');
  return {
    span: span.id,
    startMs: span.startMs,
    ...(span.endMs !== undefined && { endMs: span.endMs }),
    state: span.error ? 'failed' : state === 'exists' ? 'exists' : span.endMs === undefined ? 'going' : 'done',
    ...(span.error && { error: span.error.message }),
  };
}

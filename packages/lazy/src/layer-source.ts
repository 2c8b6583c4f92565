/**
 * One layer's blob while it arrives: parts that somebody waits for at once, the others one after the other.
 *
 *     read ──▶ pieces ──▶ here? ──no──▶ a ranged request ──▶ the blob's file
 *                          └─ yes ──▶ decompress, compare with the index, hand out
 *     fill ──▶ the next gap, as long as nobody waits for anything
 *
 * Knows: the order, what is fetched only once, that a piece which is wrong is fetched once more and then refused.
 * Does not know: FUSE, HTTP.
 */
import { delay, monotonicMs, type SparseFile } from '@slipway/kernel';
import { openChunk } from './chunk-bytes.ts';
import type { Chunk } from './estargz/toc.ts';
import type { TellEvent } from './events.ts';
import { Extents, type Range } from './extents.ts';
import type { LayerNode } from './layer-tree.ts';
import type { RecentChunks } from './recent-chunks.ts';

/** Bytes `start` to `end` of the blob, unverified. */
export type FetchRange = (range: Range) => Promise<Uint8Array>;

export interface LayerSourceParts {
  readonly layer: number;
  readonly sizeBytes: number;
  readonly file: SparseFile;
  readonly fetch: FetchRange;
  readonly recent: RecentChunks;
  readonly tell: TellEvent;
}

/** A request costs a trip, so those that somebody waits for bring along what follows. */
const READ_BYTES = 256 * 1024;
/** Whoever comes while such a part is on its way waits for it. */
const FILL_BYTES = 1024 * 1024;
/** Between attempts to go on filling. */
const STALL_MS = [500, 1000, 2000, 5000, 10_000];
const PATIENCE_MS = 20;
/** Reads that are told one by one; those of a large image would fill the journal. */
const TOLD_READS = 400;
const HERE_MS = 200;

interface Flight extends Range {
  readonly done: Promise<void>;
}

export class LayerSource {
  readonly #parts: LayerSourceParts;
  readonly #here = new Extents();
  readonly #flights = new Set<Flight>();
  #reads = 0;
  #toldMs = 0;

  constructor(parts: LayerSourceParts) {
    this.#parts = parts;
  }

  /** Content of a file; fewer bytes than asked for only at its end. @throws when it cannot be had, or is not what the index says */
  async read(node: LayerNode, path: string, { offset, size }: { readonly offset: number; readonly size: number }): Promise<Uint8Array> {
    const end = Math.min(node.sizeBytes, offset + size);
    const parts: Uint8Array[] = [];
    for (const chunk of chunksIn(node.chunks, offset, end)) {
      const content = await this.#parts.recent.get(chunk, () => this.#content(chunk, path));
      parts.push(content.subarray(Math.max(0, offset - chunk.fileOffset), end - chunk.fileOffset));
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** Brings the whole blob. Ends when it is here; goes on for ever against a registry that does not answer. */
  async fill(isWaitedFor: () => boolean): Promise<void> {
    let stalls = 0;
    const whole = { start: 0, end: this.#parts.sizeBytes };
    for (let [gap] = this.#here.missing(whole); gap !== undefined; [gap] = this.#here.missing(whole)) {
      if (isWaitedFor()) {
        await delay(PATIENCE_MS);
        continue;
      }
      try {
        await this.#bring(gap.start, gap.start + FILL_BYTES);
        if (stalls > 0) this.#parts.tell({ event: 'stalled', layer: this.#parts.layer });
        stalls = 0;
      } catch (error) {
        if (stalls === 0) this.#parts.tell({ event: 'stalled', layer: this.#parts.layer, reason: reasonOf(error) });
        await delay(STALL_MS[Math.min(stalls, STALL_MS.length - 1)] ?? 0);
        stalls++;
      }
    }
    this.#parts.tell({ event: 'complete', layer: this.#parts.layer, reads: this.#reads, atMs: monotonicMs() });
  }

  /** One piece of a file. What is on its way is waited for; what is wrong is fetched anew, once. */
  async #content(chunk: Chunk, path: string): Promise<Buffer> {
    const range = { start: chunk.offset, end: chunk.end };
    for (let attempt = 0; ; attempt++) {
      await this.#need(range, path);
      try {
        return await openChunk(await this.#parts.file.read(range.start, range.end - range.start), chunk);
      } catch (error) {
        this.#here.drop(range);
        if (attempt > 0) throw error;
      }
    }
  }

  async #need(range: Range, path: string): Promise<void> {
    for (let [gap] = this.#here.missing(range); gap !== undefined; [gap] = this.#here.missing(range)) {
      const startMs = monotonicMs();
      const part = await this.#bring(gap.start, Math.max(gap.end, gap.start + READ_BYTES));
      const { layer, tell } = this.#parts;
      if (part !== undefined && ++this.#reads <= TOLD_READS) tell({ event: 'range', layer, path, ...part, startMs, endMs: monotonicMs() });
    }
  }

  /** Fetches from `start` on, up to `most` or the next byte that is here or on its way. Undefined when `start` itself was on its way. */
  async #bring(start: number, most: number): Promise<Range | undefined> {
    const flights = [...this.#flights];
    const flight = flights.find((each) => each.start <= start && start < each.end);
    if (flight !== undefined) {
      await flight.done;
      return undefined;
    }
    const [gap] = this.#here.missing({ start, end: Math.min(most, this.#parts.sizeBytes) });
    const ahead = flights.map((each) => each.start).filter((at) => at > start);
    const part = { start, end: Math.min(gap?.end ?? most, ...ahead) };
    await this.#fetch(part);
    return part;
  }

  async #fetch(range: Range): Promise<void> {
    const done = this.#store(range);
    done.catch(() => undefined);
    const flight = { ...range, done };
    this.#flights.add(flight);
    try {
      await done;
    } finally {
      this.#flights.delete(flight);
    }
  }

  async #store(range: Range): Promise<void> {
    const { fetch, file, layer, tell } = this.#parts;
    await file.write(range.start, await fetch(range));
    this.#here.add(range);
    const now = monotonicMs();
    if (now - this.#toldMs < HERE_MS) return;
    this.#toldMs = now;
    tell({ event: 'here', layer, bytes: this.#here.bytes, atMs: now });
  }
}

/** Of a file's pieces, in order, those with bytes from `offset` to `end`. */
function chunksIn(chunks: readonly Chunk[], offset: number, end: number): readonly Chunk[] {
  let [low, high] = [0, chunks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const chunk = chunks[middle];
    if (chunk !== undefined && chunk.fileOffset + chunk.sizeBytes <= offset) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while ((chunks[last]?.fileOffset ?? end) < end) last++;
  return chunks.slice(low, last);
}

export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}

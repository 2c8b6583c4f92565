/**
 * Pulls and pushes as Docker's clients read them: one JSON message a line, drawn by the client as a bar for each layer.
 *
 * Knows: docker's words for every stage.
 * Does not know: where the messages go.
 *
 * @spec docker-api/v1.47#operation/ImageCreate
 */
import { familiarReference, parseReference } from '@slipway/oci';
import type { BackendLayer, BackendPullProgress, BackendPullReport, BackendPushProgress, BackendPushReport } from './backend.ts';

export type TransferMessage = Readonly<Record<string, unknown>>;

/** Bars are drawn by people's terminals: more than this is not seen. */
const BAR_EVERY_MS = 100;

/** Turns a pull's progress into messages; holds what it needs to say each thing once. */
export function pullMessages(reference: string, now: () => number): (progress: BackendPullProgress) => readonly TransferMessage[] {
  const { path, tag, digest } = parseReference(reference);
  const bars = new Bars(now);
  const fetched = new Set<string>();
  return (progress) => {
    if (progress.phase === 'resolved') {
      const head = { status: `Pulling from ${path}`, id: digest ?? tag };
      return [head, ...progress.layers.map((layer) => ({ status: 'Pulling fs layer', progressDetail: {}, id: shortId(layer) }))];
    }
    const { layer, state } = progress;
    if (progress.phase === 'download') {
      if (state === 'progress') return bars.draw('Downloading', layer, progress.bytes);
      if (state !== 'verified') return [];
      fetched.add(layer.digest);
      return [say('Verifying Checksum', layer), say('Download complete', layer)];
    }
    if (state === 'started') return [{ ...say('Extracting', layer), ...barOf(layer.size, layer.size) }];
    return [say(state === 'exists' && !fetched.has(layer.digest) ? 'Already exists' : 'Pull complete', layer)];
  };
}

/** What is said once all is here. */
export function pulledMessages(reference: string, { digest, isNew, warnings }: BackendPullReport): readonly TransferMessage[] {
  const name = familiarReference(parseReference(reference));
  const status = isNew ? `Status: Downloaded newer image for ${name}` : `Status: Image is up to date for ${name}`;
  return [...warnings.map((warning) => ({ status: `Warning: ${warning}` })), { status: `Digest: ${digest}` }, { status }];
}

export function pushMessages(name: string, now: () => number): (progress: BackendPushProgress) => readonly TransferMessage[] {
  const { domain, path } = parseReference(name);
  const bars = new Bars(now);
  return (progress) => {
    if (progress.phase === 'layers') {
      const head = { status: `The push refers to repository [${domain}/${path}]` };
      return [head, ...progress.layers.map((layer) => say('Preparing', layer))];
    }
    const { layer, state, bytes, from } = progress;
    if (state === 'started') return [];
    if (state === 'progress') return bars.draw('Pushing', layer, bytes);
    const words = { exists: 'Layer already exists', mounted: `Mounted from ${from ?? ''}`, uploaded: 'Pushed' };
    return [say(words[state], layer)];
  };
}

export function pushedMessages({ name, manifest }: BackendPushReport): readonly TransferMessage[] {
  const { tag = 'latest' } = parseReference(name);
  const { digest, size } = manifest;
  return [{ status: `${tag}: digest: ${digest} size: ${size}` }, { progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } }];
}

export function failedMessage(message: string): TransferMessage {
  return { errorDetail: { message }, error: message };
}

class Bars {
  readonly #now: () => number;
  readonly #drawn = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  draw(status: string, layer: BackendLayer, bytes: number): readonly TransferMessage[] {
    const now = this.#now();
    const last = this.#drawn.get(layer.digest);
    if (last !== undefined && now - last < BAR_EVERY_MS && bytes < layer.size) return [];
    this.#drawn.set(layer.digest, now);
    return [{ status, id: shortId(layer), ...barOf(bytes, layer.size) }];
  }
}

function say(status: string, layer: BackendLayer): TransferMessage {
  return { status, progressDetail: {}, id: shortId(layer) };
}

const BAR_WIDTH = 50;

/** Clients on a terminal draw their own; `progress` is for those that do not. */
function barOf(current: number, total: number): TransferMessage {
  const filled = total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = `[${'='.repeat(filled)}${filled < BAR_WIDTH ? `>${' '.repeat(BAR_WIDTH - filled)}` : '>'}]`;
  return { progressDetail: { current, total }, progress: `${bar}  ${megabytes(current)}/${megabytes(total)}` };
}

function megabytes(bytes: number): string {
  if (bytes < 1000) return `${bytes}B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toPrecision(4)}kB` : `${(bytes / 1_000_000).toPrecision(4)}MB`;
}

function shortId({ digest }: BackendLayer): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}

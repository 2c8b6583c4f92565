/**
 * Pulling, unpacking and pushing images of a generated corpus: ours, Debian's containerd and Debian's skopeo in turn, with the same
 * registry, on one tmpfs; and unpacking against what cannot be beaten, the decompressor and tar.
 *
 * Knows: the images, what a round is, and what we want to see.
 * Does not know: any engine (corpus-peers.ts).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { type CorpusImage, CorpusLayout, SHAPES } from '../packages/images/src/testing/corpus.ts';
import { missingPeer, openSkopeo, type Puller, seed, startContainerd, startOurs, startRegistry } from './corpus-peers.ts';
import type { BenchOptions } from './run.ts';
import { formatTable } from './table.ts';
import { Workplace } from './workplace.ts';

type What = 'pull' | 'unpack' | 'push';

const MOST_ROUNDS = 5;

export const benchPull = (options: BenchOptions) => benchImages('pull', options);
export const benchUnpack = (options: BenchOptions) => benchImages('unpack', options);
export const benchPush = (options: BenchOptions) => benchImages('push', options);

async function benchImages(what: What, { rounds, only = '' }: BenchOptions): Promise<void> {
  const missing = missingPeer();
  if (missing !== undefined) {
    process.stdout.write(`${missing} is not unpacked (npm test fetches it): nothing to compare with\n`);
    return;
  }
  const place = new Workplace('6g');
  const closers: (() => Promise<void>)[] = [];
  try {
    const layout = place.path('layout');
    const images = makeCorpus(layout, only);
    const { host, stop } = await startRegistry(place);
    closers.push(stop);
    for (const { tag } of images) await seed(place, layout, tag, host);
    const pullers: Puller[] = [];
    const add = (puller: Puller) => {
      closers.push(() => puller.stop());
      if (what !== 'unpack' || puller.unpack !== undefined) pullers.push(puller);
    };
    add(await startOurs(place, host, layout));
    add(await startContainerd(place, host));
    add(openSkopeo(place, host, layout));
    const rows: string[][] = [];
    for (const image of images) rows.push(await measure({ what, image, layout, place }, pullers, Math.min(rounds, MOST_ROUNDS)));
    const names = pullers.map(({ name }) => name);
    const limit = what === 'unpack' ? ['limit', 'ours ÷ limit'] : [];
    process.stdout.write(formatTable([what, ...names, ...names.slice(1).map((name) => `ours ÷ ${name}`), ...limit], rows));
    process.stdout.write('Milliseconds, medians; a ratio below 1 is ours being faster. limit: the decompressor and tar -x alone.\n');
  } finally {
    for (const close of closers.reverse()) await close();
    place.dispose();
  }
}

function makeCorpus(layout: string, only: string): readonly CorpusImage[] {
  const corpus = new CorpusLayout(layout);
  for (const shape of SHAPES) {
    for (const packing of ['gzip', 'zstd'] as const) if (`${shape}-${packing}`.includes(only)) corpus.add(shape, packing, 'oci', 1);
  }
  return corpus.images;
}

interface Subject {
  readonly what: What;
  readonly image: CorpusImage;
  readonly layout: string;
  readonly place: Workplace;
}

/** One row. The first round does not count. */
async function measure(subject: Subject, pullers: readonly Puller[], rounds: number): Promise<string[]> {
  const { what, image, layout, place } = subject;
  const times = new Map<string, number[]>();
  const holders = what === 'push' ? pullers.filter(({ pushesFrom }) => pushesFrom === 'store') : [];
  for (const puller of holders) await puller.pull(image.tag);
  for (let round = 0; round <= rounds; round++) {
    for (const puller of round % 2 === 0 ? pullers : pullers.toReversed()) {
      const ms = await once(subject, puller);
      if (round > 0) times.set(puller.name, [...(times.get(puller.name) ?? []), ms]);
    }
    if (what === 'unpack' && round > 0) times.set('limit', [...(times.get('limit') ?? []), limitOf(place, layout, image)]);
  }
  for (const puller of holders) await puller.forget(image.tag);
  const [ours = Number.NaN, ...others] = pullers.map(({ name }) => median(times.get(name)));
  const limit = what === 'unpack' ? [median(times.get('limit'))] : [];
  const ratios = (values: readonly number[]) => values.map((value) => (ours / value).toFixed(2));
  const shown = (values: readonly number[]) => values.map((value) => value.toFixed(0));
  return [image.tag, ...shown([ours, ...others]), ...ratios(others), ...shown(limit), ...ratios(limit)];
}

async function once({ what, image, place }: Subject, puller: Puller): Promise<number> {
  if (what === 'unpack') return (await puller.unpack?.(image)) ?? Number.NaN;
  if (what === 'push') return await pushOnce(image, puller, place);
  const pulled = await puller.pull(image.tag);
  await puller.forget(image.tag);
  return pulled;
}

/** To a registry that has nothing and is nobody else's: no blob is there, and none can be mounted. */
async function pushOnce({ tag }: CorpusImage, puller: Puller, place: Workplace): Promise<number> {
  const registry = await startRegistry(place);
  try {
    return await puller.push(tag, registry.host);
  } finally {
    await registry.stop();
  }
}

/** What nobody can go below who unpacks one layer after the other. */
function limitOf(place: Workplace, layout: string, { target, tag }: CorpusImage): number {
  const read = (digest: string) => `${layout}/blobs/sha256/${digest.slice('sha256:'.length)}`;
  const { layers } = JSON.parse(readFileSync(read(target.digest), 'utf8'));
  const directory = place.path('limit');
  mkdirSync(directory);
  const began = performance.now();
  for (const { digest } of layers) {
    const decompress = tag.includes('gzip') ? 'gzip' : 'zstd';
    execFileSync('sh', ['-c', `${decompress} -dc <"$1" | tar -x -C "$2"`, 'sh', read(digest), directory]);
  }
  const took = performance.now() - began;
  rmSync(directory, { recursive: true });
  return took;
}

function median(values: readonly number[] = []): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

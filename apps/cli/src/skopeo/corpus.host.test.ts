/**
 * A corpus of every shape and packing goes round: layout → our registry → Debian's docker-registry → directories, a layout, our store → our
 * registry again; by Debian's skopeo, ours and our engine's store. Every digest is what it was.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { openImageStore } from '@slipway/images';
import { type CorpusImage, CorpusLayout, PACKINGS, SHAPES } from '@slipway/images/testing';
import { digestOf, MediaTypes } from '@slipway/oci';
import { type RunningRegistry, serveRegistry } from '@slipway/registry';
import { type DockerRegistry, startDockerRegistry } from '@slipway/registry/testing';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { PeerPlace } from '../runc/testing/peer-place.ts';

const OURS = new URL('../../../../bin/skopeo', import.meta.url).pathname;
const DEBIAN = 'skopeo';
const PLAIN = ['--src-tls-verify=false', '--dest-tls-verify=false'];
const SCALE = 0.01;

let place: PeerPlace;
let registry: RunningRegistry;
let theirs: DockerRegistry;
let corpus: CorpusLayout;
const ours = () => registry.address;
const debian = () => new URL(theirs.origin).host;
/** Layouts can name OCI's manifests only, so Debian's skopeo makes docker's of one as it pushes it. */
const DOCKER_TAG = 'many-layers-gzip-docker';
let images: readonly CorpusImage[] = [];

beforeAll(async () => {
  place = new PeerPlace();
  place.write('home/.config/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}');
  registry = await serveRegistry({ root: place.path('registry'), listen: '127.0.0.1:0', onInternalError: (error) => console.error(error) });
  theirs = await startDockerRegistry();
  corpus = new CorpusLayout(place.path('corpus'));
  const oci = SHAPES.flatMap((shape) => PACKINGS.map((packing) => corpus.add(shape, packing, 'oci', SCALE)));
  corpus.index(
    'all-shapes',
    oci.filter(({ tag }) => tag.includes('gzip')),
  );
}, 120_000);
afterAll(async () => {
  await registry?.close();
  await theirs?.close();
  await place.dispose();
}, 120_000);

/** Two at once: each spends most of its time on starting. */
async function each(images: readonly CorpusImage[], work: (image: CorpusImage) => Promise<unknown>): Promise<void> {
  const waiting = [...images];
  const some = async () => {
    for (let image = waiting.pop(); image !== undefined; image = waiting.pop()) await work(image);
  };
  await Promise.all([some(), some()]);
}

const backToLayout = ({ tag }: CorpusImage) =>
  place.must([
    DEBIAN,
    'copy',
    '--all',
    '--preserve-digests',
    ...PLAIN,
    `docker://${debian()}/corpus:${tag}`,
    `oci:${place.path('back')}:${tag}`,
  ]);

async function digestsAt(host: string, repository: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const { tag, target } of images) {
    const reply = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, { headers: { accept: target.mediaType } });
    digests[tag] = digestOf(Buffer.from(await reply.arrayBuffer()));
  }
  return digests;
}

const expected = (some = images) => Object.fromEntries(some.map(({ tag, target }) => [tag, target.digest]));

describe('every image of the corpus keeps its digest', () => {
  hostTest('from a layout to our registry, by Debian’s skopeo', ['root'], async () => {
    await each(corpus.images, ({ tag }) =>
      place.must([
        DEBIAN,
        'copy',
        '--all',
        '--preserve-digests',
        ...PLAIN,
        `oci:${place.path('corpus')}:${tag}`,
        `docker://${ours()}/corpus:${tag}`,
      ]),
    );
    const to = `docker://${ours()}/corpus:${DOCKER_TAG}`;
    await place.must([DEBIAN, 'copy', '--format', 'v2s2', ...PLAIN, `oci:${place.path('corpus')}:many-layers-gzip-oci`, to]);
    const reply = await fetch(`http://${ours()}/v2/corpus/manifests/${DOCKER_TAG}`);
    const bytes = Buffer.from(await reply.arrayBuffer());
    expect(reply.headers.get('content-type')).toBe(MediaTypes.dockerManifest);
    const target = { mediaType: MediaTypes.dockerManifest, digest: digestOf(bytes), size: bytes.byteLength };
    images = [...corpus.images, { tag: DOCKER_TAG, target }];
    expect(await digestsAt(ours(), 'corpus')).toEqual(expected());
  });

  hostTest('from our registry to docker’s, by our skopeo', ['root'], async () => {
    await place.must([
      OURS,
      'sync',
      '--all',
      '--preserve-digests',
      ...PLAIN,
      '--src',
      'docker',
      '--dest',
      'docker',
      `${ours()}/corpus`,
      debian(),
    ]);
    expect(await digestsAt(debian(), 'corpus')).toEqual(expected());
  });

  hostTest('from docker’s to directories and a layout, by Debian’s skopeo', ['root'], async () => {
    mkdirSync(place.path('synced'));
    await place.must([
      DEBIAN,
      'sync',
      '--all',
      '--preserve-digests',
      '--src-tls-verify=false',
      '--src',
      'docker',
      '--dest',
      'dir',
      `${debian()}/corpus`,
      place.path('synced'),
    ]);
    for (const { tag, target } of images) {
      expect(digestOf(readFileSync(`${place.path('synced')}/corpus:${tag}/manifest.json`))).toBe(target.digest);
    }
    const layouts = corpus.images.filter(({ tag }) => tag.startsWith('many') || tag === 'all-shapes');
    for (const image of layouts) await backToLayout(image); // one at a time: they share its index.json
    const blobs = new Set(readdirSync(`${place.path('back')}/blobs/sha256`));
    expect(layouts.filter(({ target }) => !blobs.has(target.digest.slice('sha256:'.length)))).toEqual([]);
  });

  for (const snapshotter of ['overlay', 'native'] as const) {
    hostTest(`from docker’s through our store (${snapshotter}) to our registry`, ['root', 'overlayfs'], async () => {
      const store = await openImageStore({
        root: place.path(`store-${snapshotter}`),
        snapshotter,
        platform: { os: 'linux', architecture: 'amd64' },
      });
      // With whole copies the deep and the many-layered ones would fill the place.
      const some = images.filter(({ tag }) => tag !== 'all-shapes' && (snapshotter === 'overlay' || tag.startsWith('many-small')));
      try {
        for (const { tag } of some) {
          await store.pull(`${debian()}/corpus:${tag}`);
          await store.tag(`${debian()}/corpus:${tag}`, `${ours()}/again-${snapshotter}:${tag}`);
          await store.push(`${ours()}/again-${snapshotter}:${tag}`);
          await store.remove(`${debian()}/corpus:${tag}`);
        }
        const found = await digestsAt(ours(), `again-${snapshotter}`);
        expect(Object.fromEntries(some.map(({ tag }) => [tag, found[tag]]))).toEqual(expected(some));
      } finally {
        await store.close();
      }
    });
  }
});

import type { ImageGraph, ImageNode } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { layoutImages, type PartBox } from './layout.ts';
import { fetchCommand, joinImages, sharedBytes } from './model.ts';

const digest = (name: string) => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
const node = (kind: ImageNode['kind'], name: string, more: Partial<ImageNode> = {}): ImageNode => ({
  kind,
  digest: digest(name),
  mediaType: `application/x.${kind}`,
  sizeBytes: 100,
  ...more,
});

/** An image of one platform; layers lowest first. */
function image(name: string, layers: readonly string[]): ImageGraph {
  const children = [digest(`${name} config`), ...layers.map(digest)];
  const nodes = [node('manifest', name, { children }), node('config', `${name} config`, { children: [] })];
  return { image: name, root: digest(name), nodes: [...nodes, ...layers.map((layer) => node('layer', layer))], notes: [] };
}

function index(name: string, images: readonly ImageGraph[], taken: string): ImageGraph {
  const nodes = images.flatMap((graph) => graph.nodes);
  const marked = nodes.map((part) => (part.digest === digest(taken) ? { ...part, taken: true } : part));
  const root = node('index', name, { children: images.map((graph) => graph.root) });
  return { image: name, root: digest(name), nodes: [root, ...new Map(marked.map((part) => [part.digest, part])).values()], notes: [] };
}

const wide = { width: 900, all: false };
const boxOf = (boxes: readonly PartBox[], name: string) => boxes.filter(({ part }) => part.digest === digest(name));

test('a layer of two images is one part, one box, and reached from both', () => {
  const joined = joinImages([image('a', ['base', 'a own']), image('b', ['base', 'b own'])]);
  const { boxes, links } = layoutImages(joined, wide);
  expect(joined.parts.get(digest('base'))).toMatchObject({ sides: [0, 1], namedBy: [digest('a'), digest('b')] });
  expect(boxOf(boxes, 'base')).toHaveLength(1);
  expect(links.filter(({ to }) => to === digest('base')).map(({ side }) => side)).toEqual([0, 1]);
  expect(sharedBytes(joined)).toBe(100);
});

test('each image’s own layers stand in its half, what both have below, in the middle', () => {
  const { boxes } = layoutImages(joinImages([image('a', ['base', 'a own']), image('b', ['base', 'b own'])]), wide);
  const [[left], [right], [middle]] = [boxOf(boxes, 'a own'), boxOf(boxes, 'b own'), boxOf(boxes, 'base')];
  expect((left?.x ?? 0) + (left?.width ?? 0)).toBeLessThan(right?.x ?? 0);
  expect(middle?.y).toBeGreaterThan(left?.y ?? Number.POSITIVE_INFINITY);
  expect([left?.level, right?.level, middle?.level], 'counted from the bottom').toEqual([1, 1, 0]);
});

test('the same image under two names is drawn once, whole', () => {
  const twice = [image('same', ['base']), image('same', ['base'])];
  expect(layoutImages(joinImages(twice), wide).boxes).toHaveLength(3);
});

test('of an index the manifest for this machine is open until another one, or something in it, is chosen', () => {
  const graph = index('i', [image('arm', ['x']), image('amd', ['y'])], 'amd');
  expect(joinImages([graph]).lanes[0]?.open?.digest).toBe(digest('amd'));
  expect(joinImages([graph], [digest('arm'), digest('y')]).lanes[0]?.open?.digest).toBe(digest('arm'));
});

test('a crowded index shows some manifests, the open one among them, and all when asked', () => {
  const many = Array.from({ length: 30 }, (_, at) => image(`m${at}`, ['base']));
  const joined = joinImages([index('i', many, 'm29')]);
  const some = layoutImages(joined, wide);
  expect(some.leftOut).toBe(24);
  expect(boxOf(some.boxes, 'm29')).toHaveLength(1);
  expect(layoutImages(joined, { width: 900, all: true }).boxes.filter(({ part }) => part.kind === 'manifest')).toHaveLength(30);
});

test.each([360, 480, 900, 2000])('nothing overlaps and nothing leaves a picture of %i pixels', (width) => {
  const graphs = [index('i', [image('a', ['l1', 'l2', 'l3']), image('c', ['l1'])], 'a'), image('b', ['l1', 'l2', 'own'])];
  const { boxes, height } = layoutImages(joinImages(graphs), { width, all: false });
  for (const [at, one] of boxes.entries()) {
    expect(one.x).toBeGreaterThanOrEqual(0);
    expect(one.x + one.width).toBeLessThanOrEqual(width);
    expect(one.y + one.height).toBeLessThanOrEqual(height);
    for (const other of boxes.slice(at + 1)) {
      const apart =
        one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y;
      expect(apart, `${one.part.digest} and ${other.part.digest}`).toBe(true);
    }
  }
});

test('each part is fetched by its own line, and only where the registry has it', () => {
  const served = '/v2/library/web/blobs/sha256:aa';
  const gzip = node('layer', 'l', { served, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' });
  expect(fetchCommand(gzip)).toBe(`curl -s http://127.0.0.1:5000${served} | tar -tzv`);
  expect(fetchCommand(node('manifest', 'm', { served }))).toBe(
    `curl -s -H 'Accept: application/x.manifest' http://127.0.0.1:5000${served}`,
  );
  expect(fetchCommand(node('config', 'c'))).toBeUndefined();
  const hostile = node('manifest', 'm', { served, mediaType: "x' http://elsewhere; reboot '" });
  expect(fetchCommand(hostile), 'a media type is no way into a shell').toBe(`curl -s http://127.0.0.1:5000${served}`);
});

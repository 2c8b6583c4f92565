/**
 * Images whose only purpose is to be looked at: one program, five layers of known size, one that is large, and one for two platforms.
 *
 * Knows: what each shows.
 * Does not know: layouts.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { MediaTypes } from '@slipway/oci';
import { ATLAS } from '../../labs/07-what-an-image-is/atlas.ts';
import { directory, file, type Layout, type Member, type StoredLayer } from './layout.ts';

const MIB = 1024 ** 2;

/** `docker run hello`: one static program, the only file there is. */
export function addHello(layout: Layout, work: string): void {
  const source = new URL('hello.c', import.meta.url).pathname;
  const program = `${work}/hello`;
  execFileSync('gcc', ['-static', '-Os', '-s', '-Wl,--build-id=none', '-o', program, source]);
  const layer = layout.layer('COPY hello /hello', [file('hello', readFileSync(program), 0o755)]);
  layout.image(['hello:latest', 'hello-world:latest'], { Cmd: ['/hello'] }, [layer]);
}

/** `docker run -d web`: a page and busybox's server for it, on top of busybox's own layers. */
export function addWeb(layout: Layout, busybox: readonly StoredLayer[]): void {
  const page =
    '<!doctype html>\n<title>It works</title>\n<h1>It works</h1>\n<p>Served by a container. Its files are one layer above busybox.</p>\n';
  const layer = layout.layer('COPY index.html /srv/www/', [
    directory('srv'),
    directory('srv/www'),
    file('srv/www/index.html', page),
    file('srv/www/healthz', 'ok\n'),
  ]);
  layout.image(['web:latest'], { Cmd: ['httpd', '-f', '-v', '-p', '80', '-h', '/srv/www'], ExposedPorts: { '80/tcp': {} } }, [
    ...busybox,
    layer,
  ]);
}

/**
 * `layers-demo`: 1, 2, 3, 4 and 5 MiB on top of busybox. The third replaces a file of the first, the fifth deletes one of the second, so 15 MiB
 * are stored of which a container sees 12.
 */
export function addLayersDemo(layout: Layout, busybox: readonly StoredLayer[]): void {
  const steps: readonly [string, readonly Member[]][] = [
    ['one', [file('demo/one', noise(1, 1)), file('demo/changed', 'as the first step left it\n')]],
    ['two', [file('demo/two', noise(2, 2))]],
    ['three', [file('demo/three', noise(3, 3)), file('demo/changed', 'as the third step left it\n'), file('demo/one', noise(0, 0))]],
    ['four', [file('demo/four', noise(4, 4))]],
    ['five', [file('demo/five', noise(5, 5)), file('demo/.wh.two', '', 0o600)]],
  ];
  const layers = steps.map(([name, members]) => layout.layer(`RUN make-step ${name}`, [directory('demo'), ...members]));
  layout.image(['layers-demo:latest'], { Cmd: ['ls', '-lR', '/demo'] }, [...busybox, ...layers]);
}

/** `big`: 250 MB in ten files, which compress to next to nothing, so that only what is unpacked is large. */
export function addBig(layout: Layout, busybox: readonly StoredLayer[]): void {
  const block = noise(0, 16 / 1024);
  const content = Buffer.alloc(25_000_000);
  for (let at = 0; at < content.byteLength; at += block.byteLength) block.copy(content, at);
  const members = Array.from({ length: 10 }, (_, at) => file(`data/part-${at}`, content));
  const layer = layout.layer('RUN make-data 250MB', [directory('data'), ...members]);
  layout.image(['big:latest'], { Cmd: ['du', '-sh', '/data'] }, [...busybox, layer]);
}

/** `atlas`: text files for two platforms under one index. No program is in it; it is there to be looked at. */
export function addAtlas(layout: Layout): void {
  const { index, platforms } = ATLAS;
  for (const { manifest, config, layers } of platforms) {
    layout.put(MediaTypes.ociManifest, manifest.bytes);
    layout.put(MediaTypes.ociConfig, config.bytes);
    for (const { bytes } of layers) layout.put(MediaTypes.ociLayer, bytes);
  }
  layout.name(['atlas:latest'], layout.put(index.mediaType, index.bytes));
}

/** Bytes that look random and are the same every time (xorshift). */
function noise(seed: number, mib: number): Buffer {
  const bytes = Buffer.alloc(Math.round(mib * MIB));
  let state = (seed + 1) * 0x9e3779b1;
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  return bytes;
}

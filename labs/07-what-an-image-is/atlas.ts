/**
 * The image that lesson 7 takes apart: two text files for two platforms, one of them shared. Set-up puts the same image into every machine's
 * registry (scripts/images), where nobody can change it; the lesson pushes a copy that can be.
 *
 *     index ─┬─ manifest amd64 ─── config, layer rivers, layer machine (amd64)
 *            └─ manifest arm64 ─── config, layer rivers, layer machine (arm64)
 *
 * Knows: every byte of it, and so every digest; how it gets into a machine's registry.
 * Does not know: what a learner does with it (lab.ts).
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
}

interface Platform {
  readonly architecture: string;
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const TAR_BLOCK = 512;
const CHECKSUM_AT = 148;

const rivers = blob(tarOf('atlas/rivers.txt', 'Amazon\nDanube\nNile\nYangtze\n'));

const platforms = [platform('amd64'), platform('arm64')] as const;
const index = json({
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: platforms.map(({ manifest, architecture }) => ({
    ...descriptor(MANIFEST, manifest),
    platform: { architecture, os: 'linux' },
  })),
});

/** Every blob of it, and what leads to them. */
export const ATLAS = { index: { ...index, mediaType: INDEX }, platforms, rivers };

/** Lines that push it, as any client would, once the registry is there. */
export function pushAtlas(): readonly string[] {
  const at = 'http://127.0.0.1:5000/v2/atlas';
  const blobs = [rivers, ...ATLAS.platforms.flatMap(({ config, layers: [, own] }) => (own === undefined ? [config] : [config, own]))];
  const documents = [
    ...ATLAS.platforms.map(({ manifest }) => ({ bytes: manifest.bytes, type: MANIFEST, name: manifest.digest })),
    { bytes: index.bytes, type: INDEX, name: 'latest' },
  ];
  const send = (bytes: Buffer, rest: string) =>
    `echo ${gzipSync(bytes).toString('base64')} | base64 -d | gunzip | curl -sf -A setup --data-binary @- ${rest}`;
  return [
    'until curl -sf -A setup -o /dev/null http://127.0.0.1:5000/v2/; do sleep 0.1; done',
    // One line: each is a program started in the machine, and on a busy host the learner would be there before the last of them.
    [
      ...blobs.map((each) => send(each.bytes, `'${at}/blobs/uploads/?digest=${each.digest}'`)),
      ...documents.map(({ bytes, type, name }) => send(bytes, `-X PUT -H 'Content-Type: ${type}' ${at}/manifests/${name}`)),
    ].join(' && '),
  ];
}

function platform(architecture: string): Platform {
  const layers = [rivers, blob(tarOf('atlas/machine.txt', `This copy is for ${architecture}.\n`))];
  const history = ['COPY rivers.txt /atlas/', 'COPY machine.txt /atlas/'].map((created_by) => ({ created_by }));
  const config = json({
    architecture,
    os: 'linux',
    config: { Cmd: ['/atlas'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history,
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(CONFIG, config),
    layers: layers.map((layer) => descriptor(LAYER, layer)),
  });
  return { architecture, manifest, config, layers };
}

function json(value: object): Blob {
  return blob(Buffer.from(JSON.stringify(value)));
}

function blob(bytes: Buffer): Blob {
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

function descriptor(mediaType: string, { bytes, digest }: Blob) {
  return { mediaType, digest, size: bytes.byteLength };
}

/** One file in the ustar format, uncompressed: header, content, two empty blocks. @spec POSIX.1-2017 pax, ustar Interchange Format */
function tarOf(name: string, text: string): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 7) + octal(0, 7) + octal(0, 7) + octal(text.length, 11) + octal(0, 11), 100);
  header.write(`${' '.repeat(8)}0`, CHECKSUM_AT);
  header.write('ustar\x0000', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    CHECKSUM_AT,
  );
  const content = Buffer.alloc(Math.ceil(text.length / TAR_BLOCK) * TAR_BLOCK);
  content.write(text);
  return Buffer.concat([header, content, Buffer.alloc(2 * TAR_BLOCK)]);
}

/**
 * Makes the lab's busybox image from the machine's own static busybox, as an archive that docker, skopeo and we can load.
 *
 *     node scripts/make-busybox-image.ts OUT.tar [BUSYBOX]
 *
 * Three layers, each with one meaning, so that there is something to see in them:
 *   1. the program, with one hard link for each applet, and a note from the build
 *   2. users and settings
 *   3. empty places to work in; the note is deleted, so this layer holds a whiteout
 *
 * The same busybox (bytes and modification time) always gives the same image id, on every machine.
 *
 * Knows: what the image holds, and both archive layouts.
 * Does not know: the image store.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { type EntryInit, tarEnd, tarMember } from '@slipway/layers';
import { digestOf, hostPlatform, MediaTypes, splitDigest } from '@slipway/oci';

const NAME = 'busybox:latest';
const NOTE = 'etc/build-note';

/** A member with its content. */
type Member = readonly [entry: EntryInit, content?: Uint8Array | string];

interface Layer {
  readonly createdBy: string;
  readonly members: readonly Member[];
}

const [output, program = '/bin/busybox'] = process.argv.slice(2);
if (output === undefined) {
  process.stderr.write('usage: node scripts/make-busybox-image.ts OUT.tar [BUSYBOX]\n');
  process.exit(2);
}
const mtime = Math.floor(statSync(program).mtimeMs / 1000);
const archive = buildArchive([programLayer(program), settingsLayer(), placesLayer()]);
writeFileSync(`${output}.partial`, archive.bytes);
renameSync(`${output}.partial`, output);
process.stdout.write(`${NAME} ${archive.id}\n`);

function programLayer(path: string): Layer {
  const listed = execFileSync(path, ['--list'], { encoding: 'utf8' }).split('\n');
  const applets = [...new Set(listed.filter((name) => /^[^/\s]+$/.test(name) && name !== 'busybox'))].sort();
  return {
    createdBy: `COPY busybox /bin/ # and ${applets.length} hard links, one for each applet`,
    members: [
      [directory('bin')],
      [{ name: 'bin/busybox', type: 'file', mode: 0o755 }, readFileSync(path)],
      ...applets.map((name): Member => [{ name: `bin/${name}`, type: 'hardlink', linkName: 'bin/busybox', mode: 0o755 }]),
      [directory('etc')],
      [{ name: NOTE, type: 'file' }, 'Left by the first build step. A later layer deletes it, yet its bytes are still in this one.\n'],
      [directory('sbin')],
      [{ name: 'sbin/init', type: 'symlink', linkName: '../bin/busybox', mode: 0o777 }],
      [directory('usr')],
      [directory('usr/bin')],
      [{ name: 'usr/bin/env', type: 'symlink', linkName: '../../bin/env', mode: 0o777 }],
    ],
  };
}

function settingsLayer(): Layer {
  return {
    createdBy: 'COPY etc/ /etc/ # users, groups, name lookup, shell profile',
    members: [
      [directory('etc')],
      [file('etc/group'), 'root:x:0:\ndaemon:x:1:\nbin:x:2:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n'],
      [
        file('etc/passwd'),
        'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n' +
          'www-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
      ],
      [{ ...file('etc/shadow'), mode: 0o600 }, 'root:*::0:99999:7:::\nnobody:*::0:99999:7:::\n'],
      [file('etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n'],
      [file('etc/profile'), "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPS1='\\w \\$ '\n"],
    ],
  };
}

function placesLayer(): Layer {
  return {
    createdBy: `RUN mkdir /dev /home /proc /root /run /sys /tmp /var && rm /${NOTE}`,
    members: [
      ...['dev', 'home', 'proc', 'run', 'sys', 'var', 'var/log', 'var/www'].map((name): Member => [directory(name)]),
      [{ ...directory('root'), mode: 0o700 }],
      [{ ...directory('tmp'), mode: 0o1777 }],
      [{ ...directory('var/tmp'), mode: 0o1777 }],
      [{ name: NOTE.replace(/([^/]+)$/, '.wh.$1'), type: 'file', mode: 0o600 }],
    ],
  };
}

function directory(name: string): EntryInit {
  return { name: `${name}/`, type: 'directory', mode: 0o755 };
}

function file(name: string): EntryInit {
  return { name, type: 'file', mode: 0o644 };
}

function tar(members: readonly Member[]): Buffer {
  return Buffer.concat([...members.map(([entry, content]) => tarMember({ mtime, ...entry }, content)), tarEnd()]);
}

/** Config, manifest, index and manifest.json around the layers, in one tar. */
function buildArchive(layers: readonly Layer[]): { bytes: Buffer; id: string } {
  const created = new Date(mtime * 1000).toISOString();
  const tars = layers.map(({ members }) => tar(members));
  const config = json({
    created,
    ...hostPlatform(process.arch),
    config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: tars.map((bytes) => digestOf(bytes)) },
    history: [
      ...layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
      { created, created_by: 'CMD ["sh"]', empty_layer: true },
    ],
  });
  const descriptorOf = (mediaType: string, bytes: Uint8Array) => ({ mediaType, digest: digestOf(bytes), size: bytes.byteLength });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: descriptorOf(MediaTypes.ociConfig, config),
    layers: tars.map((bytes) => descriptorOf(MediaTypes.ociLayer, bytes)),
  });
  const annotations = { 'io.containerd.image.name': `docker.io/library/${NAME}`, 'org.opencontainers.image.ref.name': 'latest' };
  const index = json({
    schemaVersion: 2,
    mediaType: MediaTypes.ociIndex,
    manifests: [{ ...descriptorOf(MediaTypes.ociManifest, manifest), platform: hostPlatform(process.arch), annotations }],
  });
  const dockerManifest = json([{ Config: blobPath(config), RepoTags: [NAME], Layers: tars.map(blobPath) }]);
  const blobs = [config, manifest, ...tars].map((bytes): Member => [file(blobPath(bytes)), bytes]);
  const bytes = tar([
    [file('oci-layout'), json({ imageLayoutVersion: '1.0.0' })],
    [file('index.json'), index],
    [file('manifest.json'), dockerManifest],
    [directory('blobs')],
    [directory('blobs/sha256')],
    ...blobs,
  ]);
  return { bytes, id: digestOf(config) };
}

function blobPath(bytes: Uint8Array): string {
  return `blobs/sha256/${splitDigest(digestOf(bytes)).hex}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/**
 * A small Debian: a shell, the everyday tools and the libraries they need, unpacked from the release's own packages.
 *
 * Knows: which packages, and what their set-up scripts would have done.
 * Does not know: layouts; versions are the machine's release's.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { readTar } from '@slipway/layers';
import { directory, file, type Layout, type Member, type StoredLayer, symlink } from './layout.ts';

/** A layer each: what changes least lies lowest. */
const LAYERS = {
  'base-files base-passwd libc6 libc-bin': 'the C library and the names of a Debian',
  'dash bash debianutils libtinfo6 libgcc-s1': 'shells',
  'coreutils grep sed findutils hostname libselinux1 libacl1 libattr1 libgmp10 libpcre2-8-0': 'everyday tools',
} as const;

/** Nothing that a small image has room for. */
const LEFT_OUT = /^usr\/(?:share\/(?:doc|man|locale|info|lintian|bash-completion|gcc|gdb|bug)|lib\/(?:systemd|tmpfiles\.d))(?:\/|$)/;
/** On a Debian whose scripts have run these are links into /usr. */
const MERGED = /^(bin|sbin|lib|lib64|lib32|libx32)(?=\/|$)/;

export async function addDebian(layout: Layout, work: string): Promise<void> {
  const layers: StoredLayer[] = [];
  for (const [packages, what] of Object.entries(LAYERS)) {
    const members = await membersOf(packages.split(' '), `${work}/debs-${layers.length}`);
    layers.push(layout.layer(`dpkg -x ${packages} # ${what}`, layers.length === 0 ? [...frame(members), ...members] : members));
  }
  layers.push(layout.layer('RUN finish # links and users that set-up scripts would have made', finish(layers)));
  layout.image(['debian:latest', `debian:${releaseName()}`], { Cmd: ['bash'] }, layers);
}

/** Directories first, each once; then everything else in the packages' order. */
async function membersOf(packages: readonly string[], download: string): Promise<Member[]> {
  mkdirSync(download, { recursive: true });
  execFileSync('apt-get', ['download', '-q', ...packages, '-o', 'APT::Sandbox::User=root'], { cwd: download, stdio: 'ignore' });
  const members = new Map<string, Member>();
  for (const name of readdirSync(download).toSorted()) {
    const tar = execFileSync('dpkg-deb', ['--fsys-tarfile', `${download}/${name}`], { maxBuffer: 256 * 1024 ** 2 });
    for await (const { entry, content } of readTar(chunksOf(tar))) {
      const path = merged(entry.name.replace(/^\.?\/+/, '').replace(/\/+$/, ''));
      if (path === '' || LEFT_OUT.test(path)) continue;
      const chunks: Uint8Array[] = [];
      for await (const { bytes } of content) chunks.push(Buffer.from(bytes));
      const linkName = entry.type === 'hardlink' ? merged(entry.linkName.replace(/^\.?\/+/, '')) : entry.linkName;
      const { sizeBytes: _, ...rest } = entry;
      const member: Member = [{ ...rest, linkName, name: entry.type === 'directory' ? `${path}/` : path }, Buffer.concat(chunks)];
      members.set(path, members.get(path)?.[0].type === 'directory' ? (members.get(path) ?? member) : member);
    }
  }
  return [...members.values()];
}

function merged(path: string): string {
  return path.replace(MERGED, 'usr/$1');
}

/** The links, and whatever directory they lead to that no package brings. */
function frame(members: readonly Member[]): Member[] {
  const has = new Set(members.map(([{ name }]) => name));
  const places = ['usr', 'usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'dev', 'proc', 'sys', 'run', 'tmp'];
  return [
    ...places.filter((name) => !has.has(`${name}/`)).map((name) => directory(name, name === 'tmp' ? 0o1777 : 0o755)),
    ...['bin', 'sbin', 'lib', 'lib64'].map((name) => symlink(name, `usr/${name}`)),
  ];
}

function finish(_layers: readonly StoredLayer[]): Member[] {
  return [
    directory('etc'),
    file(
      'etc/passwd',
      'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    ),
    file('etc/group', 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nstaff:x:50:\nusers:x:100:\nnogroup:x:65534:\n'),
    file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    directory('usr'),
    directory('usr/bin'),
    symlink('usr/bin/sh', 'dash'),
  ];
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function releaseName(): string {
  return /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
}

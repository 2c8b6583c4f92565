/**
 * Installs the Debian packages that set-up, the lab and the tests use.
 *
 * Knows: which packages and why.
 * Does not know: versions; the host's own release decides.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';

/** For running the lab. */
const NEEDED = [
  'ca-certificates',
  'gcc', // the launcher, node-pty
  'g++',
  'libc6-dev',
  'make',
  'python3', // node-gyp
  'busybox-static', // the busybox image
  'mmdebstrap', // the lab machines' tools tree
  'e2fsprogs', // lab machines' disks
  'util-linux', // mount, losetup, nsenter, setpriv
  'bzip2', // archives that ADD unpacks
  'xz-utils',
  'iproute2',
  'procps',
];

/** For proving it: peers and oracles, and the browser. */
const NEEDED_BY_TESTS = [
  'chromium',
  'runc',
  'crun',
  'skopeo',
  'umoci',
  'libarchive-tools',
  'strace',
  'attr',
  'libcap2-bin',
  'uidmap', // containers of an engine that is not root
  'qemu-system-x86',
  // Libraries of docker, podman, buildah and conmon, which are unpacked without being installed (peers.mjs).
  'libdevmapper1.02.1',
  'libglib2.0-0',
  'libgpgme11',
  'libseccomp2',
  'libsubid4',
  'libsystemd0',
];

/** Installs what is missing; nothing is touched when all is there. */
export async function installPackages(progress, { forTests }) {
  const wanted = forTests ? [...NEEDED, ...NEEDED_BY_TESTS] : NEEDED;
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await progress.step('refresh the list of Debian packages', () => progress.command('apt-get', ['update', '-q'], { env }));
  await progress.step(
    `install ${missing.length} Debian packages (${missing.slice(0, 4).join(', ')}${missing.length > 4 ? ', …' : ''})`,
    () => progress.command('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], { env }),
  );
}

function isInstalled(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query has its own ${} language.
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return status === 0 && stdout.trim() === 'installed';
}

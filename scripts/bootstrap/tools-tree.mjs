/**
 * The lab machines' `/usr` and the skeleton of the rest (`/etc`, `/home`, …), unpacked from Debian packages.
 *
 *     .slipway/tools/usr       bound read-only into every machine
 *     .slipway/tools/skeleton  copied onto every machine's disk (scripts/make-machine-disk.ts)
 *
 * Knows: which tools a learner finds, and what packages' own set-up scripts would have left behind, since they
 * are unpacked only and no script of theirs runs.
 */
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { STATE_DIR } from './paths.mjs';

const DIR = `${STATE_DIR}/tools`;
export const TOOLS_INPUTS = ['scripts/bootstrap/tools-tree.mjs'];

const PACKAGES = [
  ...[
    'dash',
    'base-files',
    'debianutils',
    'libc-bin',
    'libstdc++6', // Node
    'bash',
    'bash-completion',
    'coreutils',
    'diffutils',
    'findutils',
    'grep',
    'sed',
    'mawk',
    'tar',
    'gzip',
    'hostname',
    'less',
    'nano',
    'tree',
    'file',
  ],
  ...['procps', 'psmisc', 'util-linux', 'mount', 'login', 'passwd', 'ncurses-base', 'ncurses-bin'],
  ...['iproute2', 'curl', 'ca-certificates', 'jq'],
  ...['strace', 'runc', 'crun', 'libcap2-bin', 'attr', 'tini'],
];

const TOP_LEVEL_LINKS = ['bin', 'sbin', 'lib', 'lib64'];

/** Kept out of the tree: nothing a learner reads in a terminal. */
const EXCLUDED = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  '/usr/share/info/*',
  '/usr/share/lintian/*',
  '/usr/lib/systemd/*',
];

export async function buildToolsTree(progress) {
  const fresh = `${DIR}.new`;
  await extractPackages(progress, { packages: PACKAGES, excluded: EXCLUDED, into: fresh });
  completeUsr(`${fresh}/usr`);
  writeSkeleton(fresh);
  for (const name of [
    'boot',
    'dev',
    'media',
    'mnt',
    'opt',
    'proc',
    'run',
    'srv',
    'sys',
    'var',
    'tmp',
    'home',
    'root',
    'etc',
    'bin',
    'sbin',
    'lib',
    'lib32',
    'lib64',
    'libx32',
  ]) {
    rmSync(`${fresh}/${name}`, { recursive: true, force: true });
  }
  rmSync(DIR, { recursive: true, force: true });
  renameSync(fresh, DIR);
}

/** Packages with all they depend on, of the release that this machine runs, everything below `into`/usr that belongs there. */
export async function extractPackages(progress, { packages, excluded, into }) {
  rmSync(into, { recursive: true, force: true });
  const excludes = excluded.map((path) => `--dpkgopt=path-exclude=${path}`);
  await progress.command('mmdebstrap', [
    '--mode=root',
    '--variant=extract',
    `--include=${packages.join(',')}`,
    ...excludes,
    releaseName(),
    into,
  ]);
  mergeIntoUsr(into);
}

function releaseName() {
  const name = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (name === undefined)
    throw new Error(
      '/etc/os-release has no VERSION_CODENAME: the tools tree is built from the release this machine runs; use a Debian or Ubuntu release',
    );
  return name;
}

/** Some packages still unpack below /bin, /lib …; on a system whose scripts have run, those are links into /usr. */
function mergeIntoUsr(fresh) {
  for (const name of TOP_LEVEL_LINKS) {
    if (existsSync(`${fresh}/${name}`) && !lstatSync(`${fresh}/${name}`).isSymbolicLink()) {
      cpSync(`${fresh}/${name}`, `${fresh}/usr/${name}`, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    }
  }
}

/** Links that packages' scripts would have made, and the places where the engine is bound in. */
function completeUsr(usr) {
  const link = (target, path) => !existsSync(`${usr}/${path}`) && symlinkSync(target, `${usr}/${path}`);
  link('dash', 'bin/sh');
  link('mawk', 'bin/awk');
  link('less', 'bin/pager');
  link('nano', 'bin/editor');
  for (const name of ['packages', 'apps', 'node_modules', 'bin']) mkdirSync(`${usr}/lib/slipway/${name}`, { recursive: true });
  mkdirSync(`${usr}/local/bin`, { recursive: true });
  for (const name of ['buildah', 'docker', 'skopeo', 'slipway', 'slipwayd']) link(`../../lib/slipway/bin/${name}`, `local/bin/${name}`);
  link('../../lib/slipway/node_modules/.bin/node', 'local/bin/node');
}

const SKELETON_FILES = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\nlearner:x:1000:1000:learner:/home/learner:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nlearner:x:1000:\nnogroup:x:65534:\n',
  'etc/shadow': 'root:*:20000:0:99999:7:::\nlearner:*:20000:0:99999:7:::\n',
  'etc/hostname': 'lab\n',
  'etc/hosts': '127.0.0.1\tlocalhost lab\n::1\tlocalhost ip6-localhost\n',
  'etc/resolv.conf': '',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
  'etc/profile':
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\nexport EDITOR=nano PAGER=less LESS=-R LANG=C.UTF-8\n[ -n "$BASH_VERSION" ] && [ -r /etc/bash.bashrc ] && . /etc/bash.bashrc\n',
  'etc/bash.bashrc':
    '[ -z "$PS1" ] && return\n# The first shell may come before the engine: whoever has a prompt can use it. Reading where nobody writes is waiting without a fork each time.\nif [ ! -S /run/docker.sock ]; then\n  exec {never}<> <(:)\n  for _ in {1..100}; do read -rt 0.05 -u "$never"; [ -S /run/docker.sock ] && break; done\n  exec {never}>&-\n  unset never\nfi\nshopt -s checkwinsize histappend\nHISTCONTROL=ignoredups\nPS1=\'\\[\\e[1;36m\\]\\u@\\h\\[\\e[0m\\]:\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ \'\nalias ls=\'ls --color=auto\' grep=\'grep --color=auto\' ll=\'ls -l\'\n[ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion\n# Tells the terminal each command line as it begins (OSC 633;E), so that the journal can name what caused what. No fork.\ntrap \'[ -n "$__at_prompt" ] && [ -z "$COMP_LINE" ] && { __at_prompt=; printf "\\e]633;E;"; HISTTIMEFORMAT= history 1; printf "\\a"; }\' DEBUG\nPROMPT_COMMAND=__at_prompt=1\n',
};

function writeSkeleton(fresh) {
  const skeleton = `${fresh}/skeleton`;
  for (const dir of [
    'etc',
    'home/learner',
    'root',
    'tmp',
    'var/lib',
    'var/log',
    'var/tmp',
    'mnt',
    'opt',
    'srv',
    'proc',
    'sys',
    'dev',
    'run',
    'usr',
    'etc/slipway',
  ]) {
    mkdirSync(`${skeleton}/${dir}`, { recursive: true });
  }
  for (const name of TOP_LEVEL_LINKS) symlinkSync(`usr/${name}`, `${skeleton}/${name}`);
  symlinkSync('../run', `${skeleton}/var/run`);
  symlinkSync('/proc/self/mounts', `${skeleton}/etc/mtab`);
  for (const name of [
    'ssl',
    'terminfo',
    'iproute2',
    'alternatives',
    'os-release',
    'debian_version',
    'login.defs',
    'nanorc',
    'bash_completion',
    'pam.d',
    'security',
    'ca-certificates',
  ]) {
    if (existsSync(`${fresh}/etc/${name}`)) renameSync(`${fresh}/etc/${name}`, `${skeleton}/etc/${name}`);
  }
  for (const [path, text] of Object.entries(SKELETON_FILES)) writeFileSync(`${skeleton}/${path}`, text);
  for (const path of ['tmp', 'var/tmp']) chmodSync(`${skeleton}/${path}`, 0o1777);
  chmodSync(`${skeleton}/root`, 0o700);
  chmodSync(`${skeleton}/etc/shadow`, 0o600);
}

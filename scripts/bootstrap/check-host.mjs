/**
 * Says plainly what this machine lacks before anything is changed on it.
 *
 * Knows: what the engine needs of a host. Each problem is one sentence: what, why, what to do.
 */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import process from 'node:process';
import { ROOT } from './paths.mjs';

const MIN_NODE = 20;
const MIN_FREE_BYTES = 3 * 1024 ** 3;
const MIN_KERNEL = [5, 12];

/** @returns one sentence per problem; empty when everything is there */
export function checkHost() {
  if (process.platform !== 'linux')
    return [
      `this is ${process.platform}: containers are a feature of the Linux kernel; use a Debian or Ubuntu machine (a virtual one will do)`,
    ];
  return [nodeProblem(), rootProblem(), packageProblem(), kernelProblem(), overlayProblem(), userNamespaceProblem(), diskProblem()].filter(
    (problem) => problem !== undefined,
  );
}

function nodeProblem() {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= MIN_NODE
    ? undefined
    : `Node ${process.versions.node} is too old to begin with: install Node ${MIN_NODE} or newer (the right one comes with npm)`;
}

function rootProblem() {
  return process.getuid() === 0
    ? undefined
    : 'you are not root: making namespaces, mounts and cgroups needs it; run the command again as root (for example with sudo)';
}

function packageProblem() {
  return existsSync('/usr/bin/apt-get')
    ? undefined
    : 'there is no apt-get: set-up installs what it needs from Debian packages; use Debian 12 or newer, or Ubuntu';
}

function kernelProblem() {
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const recent = major > MIN_KERNEL[0] || (major === MIN_KERNEL[0] && minor >= MIN_KERNEL[1]);
  return recent
    ? undefined
    : `kernel ${release} is older than ${MIN_KERNEL.join('.')}: the runtime confines mounts with newer system calls (openat2, mount_setattr); boot a newer kernel`;
}

function overlayProblem() {
  if (readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n') || existsSync('/sys/module/overlay')) return undefined;
  const modules = `/lib/modules/${readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()}/kernel/fs/overlayfs`;
  return existsSync(modules)
    ? undefined
    : 'the kernel has no overlay file system: images are stacked with it; load it (modprobe overlay) or boot a kernel that has it';
}

function userNamespaceProblem() {
  try {
    const limit = Number(readFileSync('/proc/sys/user/max_user_namespaces', 'utf8'));
    return limit > 0
      ? undefined
      : 'user namespaces are switched off: lab machines live in one; set user.max_user_namespaces with sysctl, for example to 15000';
  } catch {
    return 'the kernel has no user namespaces: lab machines live in one; boot a kernel with CONFIG_USER_NS';
  }
}

function diskProblem() {
  const { bavail, bsize } = statfsSync(ROOT);
  return bavail * bsize >= MIN_FREE_BYTES
    ? undefined
    : `only ${Math.round((bavail * bsize) / 1024 ** 2)} MiB are free here: set-up needs 3 GiB; free some space`;
}

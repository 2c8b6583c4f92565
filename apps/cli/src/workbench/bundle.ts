/**
 * Bundles of the workbench: a directory with config.json and a root directory of its own, copied from an image.
 *
 *     /run/slipway/workbench/<name>/config.json
 *                                   rootfs/       the image's files, whole: whatever is done to them is done to a copy
 *                                   shim/         log and exit code of what ran in it
 *
 * Knows: how an image's layers become one tree.
 * Does not know: what the bundle is for.
 */
import { ensureDirectory, inUserNamespace, listNames, removeTree, runProgram, writeFileAtomic } from '@slipway/kernel';
import { chainIds, parseDiffId } from '@slipway/oci';
import { committedDirectories } from '@slipway/snapshots';
import { inspectImage } from './engine-facts.ts';
import { unusable } from './failures.ts';

/** Everything that the workbench keeps in the machine, its runtime's state included. */
export const WORKBENCH_DIR = '/run/slipway/workbench';
const BUNDLES = `${WORKBENCH_DIR}/bundles`;
/** Of runs in terminals, which outlive the agent that prepared them. */
export const TERMINAL_BUNDLES = `${WORKBENCH_DIR}/terminals`;
const EXPORTS = '/root';
const SNAPSHOTS = '/var/lib/slipway/snapshots';

export interface Bundle {
  readonly path: string;
  readonly shimDir: string;
  remove(): Promise<void>;
}

/** @throws `failed-precondition` / `E_WORKBENCH_IMAGE`, `E_WORKBENCH_ENGINE`; nothing is left then */
export async function makeBundle(name: string, image: string, config: string, home = BUNDLES): Promise<Bundle> {
  const bundle = openBundle(name, home);
  const { path } = bundle;
  await removeBundle(path);
  try {
    for (const dir of [path, `${path}/rootfs`, bundle.shimDir]) await ensureDirectory(dir, 0o700);
    await copyImage(image, path);
    await writeFileAtomic(`${path}/config.json`, config, { durable: false });
    return bundle;
  } catch (error) {
    await removeBundle(path);
    throw error;
  }
}

/** For whoever is in the machine: the first `/root/bundle-N` that is free. It is theirs from then on. */
export async function exportBundle(image: string, config: string): Promise<{ readonly path: string }> {
  const taken = new Set(await listNames(EXPORTS));
  let number = 1;
  while (taken.has(`bundle-${number}`)) number += 1;
  const { path, shimDir } = await makeBundle(`bundle-${number}`, image, config, EXPORTS);
  await removeTree(shimDir);
  return { path };
}

/** One that exists, or will. */
export function openBundle(name: string, home: string): Bundle {
  const path = `${home}/${name}`;
  return { path, shimDir: `${path}/shim`, remove: () => removeBundle(path) };
}

/** What an agent that was killed could not remove. */
export async function removeOldBundles(): Promise<void> {
  await ensureDirectory(BUNDLES, 0o700);
  for (const name of await listNames(BUNDLES)) await removeBundle(`${BUNDLES}/${name}`);
}

/** A birth without a mount namespace of its own mounts in ours. */
async function removeBundle(path: string): Promise<void> {
  await runProgram({ program: 'umount', args: ['--recursive', '--lazy', `${path}/rootfs`] });
  await removeTree(path);
}

async function copyImage(image: string, bundle: string): Promise<void> {
  const { diffIds } = await inspectImage(image);
  const top = chainIds(diffIds.map(parseDiffId)).at(-1);
  if (top === undefined) throw unusable(`the image ${JSON.stringify(image)} has no files`, 'E_WORKBENCH_IMAGE');
  const layers = committedDirectories(SNAPSHOTS, top);
  const { exitCode, stderr } = await runProgram(copyRequest(layers, bundle));
  if (exitCode !== 0) throw unusable(`the image's files cannot be copied: ${stderr.slice(0, 500)}`, 'E_WORKBENCH_IMAGE');
}

/** Several layers are shown as one by the kernel, in a mount namespace that lasts as long as the copying. */
function copyRequest(layers: readonly string[], bundle: string) {
  const [only, ...more] = layers;
  const copy = ['--archive', '--reflink=auto'];
  if (more.length === 0) return { program: 'cp', args: [...copy, '--', `${only}/.`, `${bundle}/rootfs`] };
  const options = `lowerdir=${layers.join(':')}${inUserNamespace() ? ',userxattr' : ''}`;
  const script = 'mount -t overlay -o "$1" overlay "$2" && exec cp --archive -- "$2/." "$3"';
  const args = ['--mount', '/bin/sh', '-c', script, 'sh', options, `${bundle}/shim`, `${bundle}/rootfs`];
  return { program: 'unshare', args };
}

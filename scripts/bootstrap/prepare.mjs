/**
 * Builds what is built: launcher, page, images, the lab machines' tools tree.
 *
 * Knows: inputs and results of each build.
 * Does not know: how the page or an image is made; that is each builder's own script.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import process from 'node:process';
import { projectNode } from './node-modules.mjs';
import { ROOT, STATE_DIR } from './paths.mjs';
import { peers } from './peers.mjs';
import { quickjs } from './quickjs.mjs';
import { inputsDigest, isCurrent, writeStamp } from './stamp.mjs';
import { buildToolsTree, TOOLS_INPUTS } from './tools-tree.mjs';
import { machineDisk, machineKernel, whyNoMachine } from './virtual-machine.mjs';

export async function prepare(progress, { web, forTests }) {
  await bringUpToDate(targets({ web, forTests }), progress);
}

/** Builds, in order, the targets whose inputs changed or whose results are missing. */
export async function bringUpToDate(wanted, progress) {
  mkdirSync(STATE_DIR, { recursive: true });
  for (const target of wanted) {
    const digest = inputsDigest(target.inputs, process.arch);
    if (isCurrent(target.name, digest, target.results)) continue;
    await progress.step(target.label, () => target.build(progress));
    writeStamp(target.name, digest);
  }
}

/** What engine and command line may load. */
const ENGINE_SOURCES = readdirSync(`${ROOT}/packages`)
  .filter((name) => name !== 'ui')
  .map((name) => `packages/${name}/src`);

function targets({ web, forTests }) {
  const all = [
    {
      name: 'launcher',
      label: 'compile the launcher',
      inputs: ['packages/launcher/native'],
      results: [`${ROOT}/packages/launcher/build/slipway-launcher`],
      build: (progress) => progress.command('make', ['-C', `${ROOT}/packages/launcher/native`]),
    },
    {
      name: 'verbs',
      label: 'compile the verbs of the command line that need no plan',
      inputs: ['apps/cli/native'],
      results: [`${ROOT}/apps/cli/native/build/slipway-verbs`],
      build: (progress) => progress.command('make', ['-C', `${ROOT}/apps/cli/native`]),
    },
    quickjs,
    {
      name: 'births',
      label: 'compile what makes processes without Node',
      inputs: ['apps/cli/native/quick', '.slipway/stamps/quickjs'],
      results: [`${ROOT}/apps/cli/native/build/slipway-births`],
      build: (progress) => progress.command('make', ['-C', `${ROOT}/apps/cli/native/quick`]),
    },
    {
      name: 'busybox-image',
      label: 'make the busybox image',
      inputs: ['scripts/make-busybox-image.ts', 'packages/layers/src', 'packages/oci/src'],
      results: [`${STATE_DIR}/images/busybox.tar`],
      build: (progress) => {
        mkdirSync(`${STATE_DIR}/images`, { recursive: true });
        return progress.command(projectNode(), ['scripts/make-busybox-image.ts', `${STATE_DIR}/images/busybox.tar`], { cwd: ROOT });
      },
    },
    {
      name: 'lab-images',
      label: "make the lessons' images from Debian packages",
      inputs: [
        'scripts/make-lab-images.ts',
        'scripts/images',
        'labs/07-what-an-image-is/atlas.ts',
        'packages/layers/src',
        'packages/oci/src',
        'packages/images/src/shared',
        '.slipway/stamps/busybox-image',
      ],
      results: [`${STATE_DIR}/images/layout/index.json`, `${STATE_DIR}/images/layout/shared/layers.json`],
      build: (progress) =>
        progress.command(projectNode(), ['scripts/make-lab-images.ts', `${STATE_DIR}/images/layout`, `${STATE_DIR}/images/busybox.tar`], {
          cwd: ROOT,
        }),
    },
    {
      name: 'tools-tree',
      label: "gather the lab machines' tools from Debian packages",
      inputs: TOOLS_INPUTS,
      results: [`${STATE_DIR}/tools/usr/bin/bash`],
      build: buildToolsTree,
    },
    {
      name: 'machine-disk',
      label: "make the lab machines' template disk",
      inputs: [
        'scripts/make-machine-disk.ts',
        'packages/images/src',
        'packages/snapshots/src',
        'packages/content/src',
        'packages/layers/src',
        '.slipway/stamps/busybox-image',
        '.slipway/stamps/tools-tree',
      ],
      results: [`${STATE_DIR}/machine-disk.img`],
      build: (progress) =>
        progress.command(projectNode(), ['scripts/make-machine-disk.ts', `${STATE_DIR}/machine-disk.img`], { cwd: ROOT }),
    },
    {
      name: 'commands',
      label: 'bundle the command line',
      inputs: [...ENGINE_SOURCES, 'apps/cli/src', 'scripts/bundle-commands.mjs', 'package-lock.json', '.slipway/stamps/births'],
      results: [
        ...['buildah', 'docker', 'runc', 'skopeo', 'slipway'].map((name) => `${ROOT}/apps/cli/build/${name}.json`),
        `${ROOT}/apps/cli/build/births.qbc`,
      ],
      build: (progress) => progress.command(projectNode(), ['scripts/bundle-commands.mjs'], { cwd: ROOT }),
    },
    {
      name: 'compile-cache',
      label: 'compile the engine and its commands',
      inputs: ['bin', 'scripts/warm-compile-cache.mjs', 'apps/cli/src', 'apps/slipwayd/src', 'package-lock.json', ...ENGINE_SOURCES],
      results: [`${ROOT}/node_modules/.cache/slipway`],
      build: (progress) => progress.command(projectNode(), ['scripts/warm-compile-cache.mjs'], { cwd: ROOT }),
    },
  ];
  if (web) {
    all.push({
      name: 'web',
      label: 'build the page',
      inputs: [
        'apps/web',
        'packages/ui',
        'packages/contracts',
        'packages/journal/src',
        'packages/terminal/src/protocol.ts',
        'packages/lessons/src',
        'package-lock.json',
      ],
      results: [`${ROOT}/apps/web/out/index.html`, `${ROOT}/apps/web/out/csp.json`],
      build: async (progress) => {
        await progress.command(projectNode(), [`${ROOT}/node_modules/.bin/next`, 'build'], {
          cwd: `${ROOT}/apps/web`,
          env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', PATH: `${ROOT}/node_modules/.bin:${process.env.PATH}` },
        });
        // labd's content security policy allows the page's inline scripts by these digests.
        await progress.command(projectNode(), ['scripts/csp-hashes.mjs'], { cwd: `${ROOT}/apps/web` });
      },
    });
  }
  if (forTests) all.push(...peers);
  if (forTests && whyNoMachine() === undefined) all.push(machineKernel, machineDisk);
  return all;
}

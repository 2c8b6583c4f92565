/**
 * QuickJS, the small JavaScript engine that apps/cli/native/quick is built with. Debian 12 has no package of it; npm has one that holds its
 * sources, beside an add-on of its own that is not wanted here: it is unpacked and never installed.
 *
 * Knows: which release, and its digest.
 * Does not know: how it is built (apps/cli/native/quick/Makefile).
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { STATE_DIR } from './paths.mjs';

const PACKAGE = 'qjsc@0.3.0';
const ARCHIVE = 'qjsc-0.3.0.tgz';
const SOURCES = 'package/deps/quickjs_2021_03_27';
/** As npm's lock files say it. */
const INTEGRITY = 'sha512-a7+cU6/IVcZbIejffdt/wZVMX6LL2MDL3HQ9Zb5Gm23G9DvBMS/z9GHFxz39bAvp2PvMOM+ypSOAyokt2DdZ2w==';

const DIR = `${STATE_DIR}/quickjs`;

export const quickjs = {
  name: 'quickjs',
  label: 'fetch the sources of QuickJS',
  inputs: ['scripts/bootstrap/quickjs.mjs'],
  results: [`${DIR}/quickjs.c`, `${DIR}/VERSION`],
  build: async (progress) => {
    rmSync(DIR, { recursive: true, force: true });
    mkdirSync(DIR, { recursive: true });
    await progress.command('npm', ['pack', '--silent', '--ignore-scripts', PACKAGE], { cwd: DIR });
    const found = `sha512-${createHash('sha512')
      .update(readFileSync(`${DIR}/${ARCHIVE}`))
      .digest('base64')}`;
    if (found !== INTEGRITY) throw new Error(`${PACKAGE} is not the archive it was: ${found}`);
    // As new as they are here: what was built from another release is older.
    await progress.command('tar', ['-xzmf', ARCHIVE, '--strip-components=3', SOURCES], { cwd: DIR });
    rmSync(`${DIR}/${ARCHIVE}`);
  },
};

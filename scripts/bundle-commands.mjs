/**
 * Puts each dialect of the command line into one file: a hundred and fifty sources, looked up, read and checked one by one, take a
 * client's start from 30 ms of work to 130.
 *
 *     node scripts/bundle-commands.mjs      →  apps/cli/build/{buildah,docker,runc,skopeo,slipway}.cjs, NAME.json, births.{js,qbc,inputs}
 *
 * NAME.json says from which sources, as they were then; the command line reads the sources themselves once one of them has changed
 * (apps/cli/src/start.cjs), so that what one reads is what runs.
 *
 * Knows: how modules become one. Does not know: what they do.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, constants as fsConstants, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { relative } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './bootstrap/paths.mjs';

const OUT = `${ROOT}/apps/cli/build`;

/** A file that looks for its neighbours goes on looking beside the source. */
const whereItStood = {
  name: 'where-it-stood',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null;
    const url = `new URL(${JSON.stringify(relative(OUT, id))}, require('node:url').pathToFileURL(__filename)).href`;
    return { code: code.replaceAll('import.meta.url', url), map: null };
  },
};

/** Node's own modules are loaded where they are used: together they take longer than a whole bundle, and no command uses them all. */
const whenUsed = {
  name: 'when-used',
  renderChunk(code) {
    const loads = /^let (node_\w+) = require\("(node:[a-z/_]+)"\);\n/gm;
    const modules = new Map([...code.matchAll(loads)].map(([, name, module]) => [name, module]));
    const rest = code.replaceAll(loads, '').replaceAll(/^(node_\w+) = __toESM\(\1, 1\);\n/gm, '');
    const load = (name, whole) => (modules.has(name) ? `require("${modules.get(name)}")` : whole);
    return rest
      .replaceAll(/\bnew (node_\w+)((?:\.\w+)+)/g, (whole, name, path) => (modules.has(name) ? `new (${load(name)}${path})` : whole))
      .replaceAll(/\bnode_\w+(?=\.)/g, (name) => load(name, name));
  },
};

/** What start.cjs needs of a dialect. */
const entryOf = (name) => ({
  name: 'entry',
  resolveId: (id) => (id === 'entry' ? 'entry' : null),
  load: (id) =>
    id === 'entry'
      ? `export { main } from '${ROOT}/apps/cli/src/${name}/main.ts'; export { readEnvironment } from '${ROOT}/apps/cli/src/config.ts';`
      : null,
});

const QUICK = `${ROOT}/apps/cli/src/runc/quick`;

/** Node's modules by src/runc/quick, its constants by Node itself. */
const overQuickNode = {
  name: 'over-quick-node',
  resolveId(id) {
    if (id.startsWith('slipway:')) return `\0${id}`;
    if (id === 'node:fs') return `${QUICK}/node-fs.ts`;
    if (id === 'node:path') return `${QUICK}/node-path.ts`;
    return /^(?:node:|@oxc-project\/runtime\/)/.test(id) ? `${QUICK}/node-rest.ts` : null;
  },
  load(id) {
    if (id === '\0slipway:fs-constants') return `export const constants = ${JSON.stringify(fsConstants)};`;
    if (id === '\0slipway:os-constants') return `export const constants = ${JSON.stringify(osConstants)};`;
    return null;
  },
};

/** A file that looks for its neighbours goes on looking beside the source, wherever the checkout stands (src/runc/quick/globals.ts). */
const besideTheCheckout = {
  name: 'beside-the-checkout',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null;
    return { code: code.replaceAll('import.meta.url', `(checkout + ${JSON.stringify(`/${relative(ROOT, id)}`)})`), map: null };
  },
};

const sourcesOf = (output) => output.flatMap(({ moduleIds = [] }) => moduleIds).filter((id) => id.startsWith(ROOT));

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);
for (const name of ['buildah', 'docker', 'runc', 'skopeo', 'slipway']) {
  const bundle = await rolldown({
    input: { [name]: 'entry' },
    platform: 'node',
    external: (id) => !/^(?:entry$|[./]|@slipway\/)/.test(id),
    plugins: [entryOf(name), whereItStood, whenUsed],
  });
  const { output } = await bundle.write({ dir: OUT, format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false });
  const inputs = sourcesOf(output).map((path) => {
    const { mtimeMs, size } = statSync(path);
    return [relative(ROOT, path), mtimeMs, size];
  });
  writeFileSync(`${OUT}/${name}.json`, JSON.stringify(inputs));
  await bundle.close();
}

await bundleBirths();

/** `create run exec` for QuickJS (apps/cli/native/quick), where that has been built. */
async function bundleBirths() {
  const program = `${ROOT}/apps/cli/native/build/slipway-births`;
  if (!existsSync(program)) return;
  const bundle = await rolldown({
    input: { births: `${QUICK}/main.ts` },
    platform: 'neutral',
    transform: { target: 'es2022' },
    shimMissingExports: true,
    onLog: (level, log, tell) => log.code !== 'SHIMMED_EXPORT' && tell(level, log),
    plugins: [besideTheCheckout, overQuickNode],
  });
  const { output } = await bundle.write({ dir: OUT, format: 'esm', entryFileNames: '[name].js', codeSplitting: false });
  await bundle.close();
  execFileSync(program, ['--compile', `${OUT}/births.js`, `${OUT}/births.qbc`], { stdio: 'inherit' });
  const lines = sourcesOf(output).map((path) => {
    const { mtimeNs, size } = statSync(path, { bigint: true });
    return `${mtimeNs} ${size} ${relative(ROOT, path)}\n`;
  });
  writeFileSync(`${OUT}/births.inputs`, lines.join(''));
}

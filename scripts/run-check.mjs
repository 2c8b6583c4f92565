/**
 * `npm run check`: everything that can be known without root, in under three minutes. CI and editors run the same.
 *
 * Knows: the list of checks; stops for none of them, so that one run shows everything that is wrong.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { projectNode } from './bootstrap/node-modules.mjs';
import { ROOT } from './bootstrap/paths.mjs';

const CHECKS = [
  ['format and lint', ['biome', 'ci', '--error-on-warnings', '.']],
  ['types', ['tsc', '--noEmit', '-p', 'tsconfig.json']],
  ['types of the page', ['tsc', '--noEmit', '-p', 'apps/web/tsconfig.json']],
  ['size and seam rules', ['eslint', '.']],
  ['dependency directions', ['depcruise', '--config', 'tooling/dependency-rules.cjs', 'packages', 'apps']],
  ['dead code', ['knip']],
  ['unit tests', ['vitest', 'run', '--project', 'unit']],
];

const env = { ...process.env, PATH: `${ROOT}/node_modules/.bin:${process.env.PATH}` };
const failures = [];
for (const [name, [tool, ...args]] of CHECKS) {
  const started = Date.now();
  const { status } = spawnSync(projectNode(), [`${ROOT}/node_modules/.bin/${tool}`, ...args], { stdio: 'inherit', cwd: ROOT, env });
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
  if (status !== 0) failures.push(name);
}
if (failures.length > 0) {
  process.stderr.write(`check: ${failures.join(', ')} failed\n`);
  process.exit(1);
}

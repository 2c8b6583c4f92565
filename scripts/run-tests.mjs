/**
 * `npm test`: the check, then everything that needs root: the host suites, the labs' solutions, the browser journeys;
 * last, that nothing of it is left on the machine.
 *
 * Knows: the order. Does not know: what a suite contains.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { projectNode } from './bootstrap/node-modules.mjs';
import { ROOT, STATE_DIR } from './bootstrap/paths.mjs';
import { describeLeftovers, snapshotHost } from './host-snapshot.mjs';

const bin = `${ROOT}/node_modules/.bin`;
const peers = `${STATE_DIR}/peers/docker/usr/bin`;
const env = {
  ...process.env,
  CI: 'true',
  REQUIRE_HOST: '1',
  PATH: `${bin}:${process.env.PATH}`,
  ...(existsSync(`${peers}/docker`) ? { DOCKER_CLIENT: `${peers}/docker` } : {}),
};

const SUITES = [
  ['check', ['scripts/run-check.mjs']],
  ['host tests', [`${bin}/vitest`, 'run', '--project', 'host']],
  ['cgroup v2 in a virtual machine', ['scripts/v2/run.mjs']],
  ['labs: solutions pass, decoys fail', ['apps/labd/src/lab-cli.ts', 'solve', 'all']],
  ['journeys in a browser', [`${bin}/playwright`, 'test', '-c', 'e2e/playwright.config.ts']],
];

const only = process.argv.slice(2);
const chosen = SUITES.filter(([name]) => only.length === 0 || only.some((word) => name.includes(word)));
const before = snapshotHost();
const failures = [];
for (const [name, args] of chosen) {
  const started = Date.now();
  process.stdout.write(`\n── ${name} ──\n`);
  const { status } = spawnSync(projectNode(), args, { stdio: 'inherit', cwd: ROOT, env });
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(0)} s)\n`);
  if (status !== 0) failures.push(name);
}
const leftovers = describeLeftovers(before, snapshotHost());
for (const line of leftovers) process.stderr.write(`left behind: ${line}\n`);
if (leftovers.length > 0) failures.push('leftovers');
process.stdout.write(
  `\n${chosen.length - failures.filter((name) => name !== 'leftovers').length} suites passed, ${failures.length} failed\n`,
);
if (failures.length > 0) {
  process.stderr.write(`npm test: ${failures.join(', ')} failed\n`);
  process.exit(1);
}

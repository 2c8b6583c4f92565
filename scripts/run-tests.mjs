/**
 * `npm test`: the check, then everything that needs root: the host suites, the labs' solutions beside the virtual machine, the browser
 * journeys; last, that nothing of it is left on the machine.
 *
 * Knows: the order. Does not know: what a suite contains.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
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

/** Written by vitest anew in every run; read only to say again, at the end, what failed. */
const HOST_REPORT = `${STATE_DIR}/host-tests.json`;
const HOST_TESTS = [`${bin}/vitest`, 'run', '--project', 'host', '--reporter=default', '--reporter=json', `--outputFile=${HOST_REPORT}`];

const JOURNEYS = [`${bin}/playwright`, 'test', '-c', 'e2e/playwright.config.ts'];
/** On the idle machine that its figures are about; the next run of the browser's suite removes the output of the one before. */
const TIMED_JOURNEYS = [...JOURNEYS, '--grep', '@timed', '--workers', '1', '--output', `${STATE_DIR}/timed-journeys`];

const V2 = 'cgroup v2 in a virtual machine';
const LABS = 'labs: solutions pass, decoys fail';
const SUITES = [
  ['check', ['scripts/run-check.mjs']],
  ['host tests', HOST_TESTS],
  [V2, ['scripts/v2/run.mjs']],
  [LABS, ['apps/labd/src/lab-cli.ts', 'solve', 'all']],
  ['journeys in a browser that are timed, alone', TIMED_JOURNEYS],
  ['journeys in a browser', [...JOURNEYS, '--grep-invert', '@timed']],
];

/** Its one emulated processor is busy all the time, and whoever types into a terminal mostly waits: the two run side by side. */
const BESIDE_NEXT = V2;
const RUN_AGAIN = new Set([V2, LABS]);

const only = process.argv.slice(2);
const chosen = SUITES.filter(([name]) => only.length === 0 || only.some((word) => name.includes(word)));
const before = snapshotHost();
const failures = [];
const remarks = [];
let beside;
for (const [name, args] of chosen) {
  const judged = judge(name, args, name === BESIDE_NEXT);
  if (name === BESIDE_NEXT) {
    beside = judged;
    continue;
  }
  await judged;
  await beside;
}
await beside;
const leftovers = describeLeftovers(before, snapshotHost());
for (const line of leftovers) process.stderr.write(`left behind: ${line}\n`);
if (leftovers.length > 0) failures.push('leftovers');
for (const remark of remarks) process.stdout.write(`${remark}\n`);
process.stdout.write(
  `\n${chosen.length - failures.filter((name) => name !== 'leftovers').length} suites passed, ${failures.length} failed\n`,
);
if (failures.length > 0) {
  process.stderr.write(`npm test: ${failures.join(', ')} failed\n`);
  process.exit(1);
}

/** Runs a suite and says how it ended; `held`: what it prints comes when it has ended, in one piece. */
async function judge(name, args, held) {
  const started = Date.now();
  if (!held) process.stdout.write(`\n── ${name} ──\n`);
  const { passed, output } = await run(args, held);
  if (held) process.stdout.write(`\n── ${name} ──\n${output}`);
  const good = passed || (await passesAgain(name, args));
  process.stdout.write(`${good ? '✓' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(0)} s)\n`);
  if (!good) failures.push(name);
}

function run(args, held = false) {
  const child = spawn(projectNode(), args, { stdio: held ? ['ignore', 'pipe', 'pipe'] : 'inherit', cwd: ROOT, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ passed: false, output: `${error.message}\n` }));
    child.once('close', (code) => resolve({ passed: code === 0, output }));
  });
}

/**
 * Runs what failed once more: a machine that is busy with something else must not decide. That it failed is said again at
 * the end, also when it passed then. The check has nothing to do with the machine; the browser's suite retries by itself.
 */
async function passesAgain(name, args) {
  if (args === HOST_TESTS) return failedFilesPassAlone();
  if (!RUN_AGAIN.has(name)) return false;
  process.stdout.write(`\n── ${name}, again ──\n`);
  const { passed } = await run(args);
  remarks.push(`${name}: failed, and ${passed ? 'passed' : 'failed'} when it was run again`);
  return passed;
}

async function failedFilesPassAlone() {
  const failed = failedHostTests();
  for (const { file, title, message } of failed) remarks.push(`failed: ${file} › ${title}\n${message.split('\n').slice(0, 12).join('\n')}`);
  const files = [...new Set(failed.map(({ file }) => file))];
  if (files.length === 0 || files.length > 5) return false;
  process.stdout.write(`\n── host tests again: ${files.join(', ')} ──\n`);
  const { passed } = await run([...HOST_TESTS, ...files]);
  remarks.push(passed ? 'these passed when their files were run again, without the others' : 'and failed again');
  return passed;
}

/** Each failed test of the last run; a file that failed outside its tests counts as one. */
function failedHostTests() {
  if (!existsSync(HOST_REPORT)) return [];
  const report = JSON.parse(readFileSync(HOST_REPORT, 'utf8'));
  rmSync(HOST_REPORT);
  return report.testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const file = name.replace(`${ROOT}/`, '');
      const tests = assertionResults.filter(({ status }) => status === 'failed');
      if (tests.length === 0) return [{ file, title: '(the file itself)', message: message ?? '' }];
      return tests.map(({ fullName, failureMessages }) => ({ file, title: fullName, message: failureMessages.join('\n') }));
    });
}

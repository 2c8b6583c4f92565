#!/usr/bin/env node
/**
 * What both of the README's commands begin with: brings a bare Debian or Ubuntu machine to where Slipway runs.
 *
 * Knows: the order of the steps. Has no dependency and runs on Node 20, because nothing is installed yet.
 * Does not know: how a step is done (scripts/bootstrap/*.mjs), nor what runs afterwards.
 *
 *     node scripts/bootstrap.mjs start|test|dev|prepare [-- arguments]
 *
 * Every step looks first whether its result is already there, so that a second run is quick.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { checkHost } from './bootstrap/check-host.mjs';
import { installPackages } from './bootstrap/debian-packages.mjs';
import { installModules, projectNode } from './bootstrap/node-modules.mjs';
import { prepare } from './bootstrap/prepare.mjs';
import { Progress } from './bootstrap/progress.mjs';

const COMMANDS = {
  start: { script: 'apps/labd/src/main.ts' },
  dev: { script: 'scripts/dev.mjs' },
  test: { script: 'scripts/run-tests.mjs' },
  prepare: {},
};

async function main() {
  const [name = 'start', ...rest] = process.argv.slice(2);
  const args = rest[0] === '--' ? rest.slice(1) : rest;
  const command = COMMANDS[name];
  if (command === undefined) fail(`bootstrap: unknown command ${JSON.stringify(name)}; try start, test, dev or prepare`);
  if (name === 'dev' && args.includes('--fake')) return run(await withoutRoot(), command.script, args);

  const problems = checkHost();
  if (problems.length > 0) fail(['This machine cannot run Slipway as it is:', ...problems.map((p) => `  - ${p}`)].join('\n'));

  const progress = new Progress();
  try {
    await installPackages(progress, { forTests: name === 'test' });
    await installModules(progress);
    await prepare(progress, { web: name !== 'dev', forTests: name === 'test' });
  } catch (error) {
    progress.failed();
    fail(error instanceof Error ? error.message : String(error));
  }
  progress.done();
  if (command.script !== undefined) run(projectNode(), command.script, args);
}

/** The page alone, against a stand-in daemon: needs neither root nor Linux. */
async function withoutRoot() {
  await installModules(new Progress());
  return projectNode();
}

/** Runs in the foreground with our terminal; its exit code is ours. Signals reach it through the process group. */
function run(node, script, args) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  const { status, signal } = spawnSync(node, [script, ...args], { stdio: 'inherit' });
  process.exit(status ?? (signal === 'SIGINT' ? 130 : 143));
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

await main();

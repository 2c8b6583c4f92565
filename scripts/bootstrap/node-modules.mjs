/**
 * Brings npm's packages, and with them the Node version that the project runs on.
 *
 * Knows: that `npm ci` runs again only when package-lock.json changed.
 */
import { existsSync } from 'node:fs';
import process from 'node:process';
import { ROOT } from './paths.mjs';
import { inputsDigest, isCurrent, writeStamp } from './stamp.mjs';

const MIN_PROJECT_NODE = 24;

export async function installModules(progress) {
  const digest = inputsDigest(['package-lock.json', 'package.json']);
  const results = [`${ROOT}/node_modules/.package-lock.json`, `${ROOT}/node_modules/node-pty/build/Release/pty.node`];
  if (isCurrent('npm', digest, results)) return;
  // The headers for node-pty's build come inside the package that also brings Node, so nothing else is downloaded.
  const env = { ...process.env, npm_config_nodedir: headersDirectory(), npm_config_engine_strict: 'false' };
  await progress.step('install npm packages', () => progress.command('npm', ['ci', '--no-audit', '--no-fund'], { env, cwd: ROOT }));
  writeStamp('npm', digest);
}

function headersDirectory() {
  return `${ROOT}/node_modules/node-linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}`;
}

/** The Node to run everything with: npm's, or this one where it is new enough. */
export function projectNode() {
  const own = `${ROOT}/node_modules/.bin/node`;
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= MIN_PROJECT_NODE) return process.execPath;
  throw new Error(
    `no Node ${MIN_PROJECT_NODE} for this machine (${process.platform} ${process.arch}): install Node ${MIN_PROJECT_NODE} and try again`,
  );
}

'use strict';
/**
 * Where bin/ begins: a dialect in one file (scripts/bundle-commands.mjs), which starts several times as fast as its sources, or main.ts.
 * A CommonJS file, as the bundles are: Node's loader of ES modules, and the faces that it makes of Node's own modules, take a third
 * as long as a whole `runc run`.
 *
 * Knows: when the one file still says what the sources say.
 * Does not know: what is in it.
 */
const { readFileSync, statSync, writeSync } = require('node:fs');
const { constants } = require('node:os');
const { join } = require('node:path');

const ROOT = join(__dirname, '../../..');
const BUNDLES = join(__dirname, '../build');
const startedMs = Number(process.hrtime.bigint()) / 1e6 - process.uptime() * 1000; // by `performance` it would take a millisecond: that loads node:perf_hooks

/** @param {string} name */
function isCurrent(name) {
  try {
    /** @type {readonly (readonly [path: string, mtimeMs: number, size: number])[]} */
    const inputs = JSON.parse(readFileSync(join(BUNDLES, `${name}.json`), 'utf8'));
    return inputs.every(([path, mtimeMs, size]) => {
      const found = statSync(`${ROOT}/${path}`, { throwIfNoEntry: false });
      return found?.mtimeMs === mtimeMs && found.size === size;
    });
  } catch {
    return false; // never made, or half-written: the sources are always there
  }
}

/**
 * Who reads our output may go before we are done (`| head`): then we go, too, and quietly, as SIGPIPE would end us, which Node ignores.
 * @param {NodeJS.ErrnoException} error
 */
function endWithOutput(error) {
  if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
  try {
    writeSync(2, `${name}: cannot write its output: ${error.message}\n`);
  } catch {
    // stderr itself is what cannot be written
  }
  process.exit(1);
}

const [name = '', ...args] = process.argv.slice(2);
// Not for runc, which seldom says anything: merely to look at process.stdout opens it, and every birth would pay for that.
if (name !== 'runc') for (const stream of [process.stdout, process.stderr]) stream.on('error', endWithOutput);
if (/^[a-z]+$/.test(name) && isCurrent(name)) {
  const { main, readEnvironment } = require(join(BUNDLES, `${name}.cjs`));
  main({ args, environment: readEnvironment(), startedMs }).then((code) => {
    process.exitCode = code;
  });
} else {
  void import('./main.ts');
}

/**
 * Arms a fail point of the image store in the process that loads this first:
 *
 *     FAILPOINT=<point>[#<n>]:<error|enospc|kill|hang> node --import …/arm-fail-point.ts program
 *     FAILPOINT=record                                        what a program passes, line by line on stderr
 *
 * The nth time that the point is passed (the first, when no number stands there) the step fails with EIO or ENOSPC, the process is
 * killed, or it stands still for ever.
 *
 * Knows: ways to fail.
 * Does not know: where the points are (packages/kernel/src/fail-point.ts).
 */
import { writeSync } from 'node:fs';

const text = process.env['FAILPOINT'] ?? '';
const [, name, count = '1', how] = /^([a-z.]+)(?:#([0-9]+))?:(error|enospc|kill|hang)$/.exec(text) ?? [];
if (name === undefined && text !== 'record') throw new Error(`FAILPOINT=${JSON.stringify(text)} is no fail point`);

let left = Number(count);
Object.defineProperty(globalThis, Symbol.for('slipway.failPoint'), {
  value: (point: string) => {
    if (text === 'record') writeSync(2, `passed ${point}\n`);
    if (point !== name || --left !== 0) return;
    writeSync(2, `failing at ${point}\n`);
    if (how === 'kill') process.kill(process.pid, 'SIGKILL');
    if (how === 'kill' || how === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    throw Object.assign(new Error(`fail point ${point}`), { code: how === 'enospc' ? 'ENOSPC' : 'EIO' });
  },
});

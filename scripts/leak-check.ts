/**
 * Runs many containers through their whole lives and prints what is left of them.
 *
 *     node scripts/leak-check.ts [CYCLES]      (300 when absent; needs root and a docker client)
 *
 * Knows: one cycle: run, exec, removal, and a start that fails.
 * Does not know: what is counted (apps/slipwayd/src/testing/footprint.ts).
 */
import { measureFootprint } from '../apps/slipwayd/src/testing/footprint.ts';
import { TestDaemon } from '../apps/slipwayd/src/testing/test-daemon.ts';

const WARM_UP = 5;

const cycles = Number(process.argv[2] ?? 300);
const daemon = await TestDaemon.start();
try {
  for (let round = 0; round < WARM_UP; round++) await cycle();
  const before = await measureFootprint(daemon);
  const began = performance.now();
  for (let round = 1; round <= cycles; round++) {
    await cycle();
    if (round % 50 === 0) process.stderr.write(`${round} of ${cycles}\n`);
  }
  const after = await measureFootprint(daemon);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`${cycles} cycles in ${seconds} s\n${'what'.padEnd(12)}${'before'.padStart(10)}${'after'.padStart(10)}\n`);
  for (const [name, value] of Object.entries(before)) {
    const now = Object.entries(after).find(([key]) => key === name)?.[1];
    process.stdout.write(`${name.padEnd(12)}${String(value).padStart(10)}${String(now).padStart(10)}\n`);
  }
} finally {
  await daemon.dispose();
}

async function cycle(): Promise<void> {
  const { stdout, stderr } = await daemon.docker('run', '-d', 'busybox', 'sleep', '100');
  const id = stdout.trim();
  if (id === '') throw new Error(`a container did not start: ${stderr}`);
  await daemon.docker('exec', id, 'true');
  await daemon.docker('rm', '-f', id);
  await daemon.docker('run', '--rm', 'busybox', 'no-such-program');
}

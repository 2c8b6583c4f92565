import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tryLockFile } from './file-lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const MODULE = new URL('./file-lock.ts', import.meta.url).href;
/** Says `ready`, waits for a line, tries the lock, says how that went, and keeps what it has until it is killed. */
const RIVAL = `
const { tryLockFile } = await import(${JSON.stringify(MODULE)});
process.stdin.on('data', () => process.stdout.write(tryLockFile(process.argv[1], process.pid + '\\n') === undefined ? 'lost' : 'won'));
process.stdout.write('ready');`;

/** As many of `rivals` as win when all try at the same moment. */
async function compete(rivals: readonly ChildProcess[]): Promise<readonly ChildProcess[]> {
  const answers = rivals.map(async (rival) => String((await once(rival.stdout ?? rival, 'data'))[0]));
  for (const { stdin } of rivals) stdin?.write('go\n');
  const said = await Promise.all(answers);
  expect(said.filter((answer) => answer !== 'won' && answer !== 'lost')).toEqual([]);
  return rivals.filter((_rival, index) => said[index] === 'won');
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('of many that want a dead holder’s lock at the same moment one gets it, and the file says which', async () => {
  const path = join(directory, 'lock');
  const rivals = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', RIVAL, path], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  try {
    await Promise.all(rivals.map(({ stdout }) => once(stdout, 'data')));
    let left: readonly ChildProcess[] = rivals;
    for (let round = 0; round < 3; round++) {
      const [winner, ...others] = await compete(left);
      expect(others).toEqual([]);
      expect(readFileSync(path, 'utf8')).toBe(`${winner?.pid}\n`);
      expect(tryLockFile(path, 'mine')).toBeUndefined();
      left = left.filter((rival) => rival !== winner);
      if (winner !== undefined) await killed(winner);
    }
    tryLockFile(path, 'mine')?.();
    expect(readFileSync(path, 'utf8')).toBe('mine');
  } finally {
    for (const rival of rivals) rival.kill('SIGKILL');
  }
});

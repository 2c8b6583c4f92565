import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const START = fileURLToPath(new URL('start.cjs', import.meta.url));
const NO_ENGINE = { ...process.env, DOCKER_HOST: 'unix:///nonexistent/docker.sock' };

function called(name: string, args: readonly string[], stdout: 'pipe' | number = 'pipe') {
  return spawnSync(process.execPath, [START, name, ...args], { encoding: 'utf8', env: NO_ENGINE, stdio: ['ignore', stdout, 'pipe'] });
}

describe('without an engine', () => {
  test.each([
    ['docker', ['-h'], /^Usage: docker/],
    ['docker', ['--version'], /^Docker version \d+\.\d+\.\d+/],
    ['docker', ['run', '--help'], /^ {2}-m, --memory VALUE$/m],
    ['docker', ['ps', '-a', '--help'], /^ {2}-q, --quiet$/m],
    ['slipway', ['-h'], /^Usage: slipway/],
    ['slipway', ['--version'], /^slipway \d+\.\d+\.\d+/],
    ['slipway', ['plan', '--help'], /^slipway plan: /],
  ] as const)('%s %j tells', (name, args, said) => {
    const { status, stdout, stderr } = called(name, args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(said);
  });

  test.each([
    ['docker', ['--wrong'], 125, "unknown flag: --wrong\nSee 'docker --help'.\n"],
    ['docker', ['-Z', 'ps'], 125, "unknown shorthand flag: 'Z' in -Z\nSee 'docker --help'.\n"],
    ['docker', ['run', '--wrong', 'busybox'], 125, "docker: unknown flag: --wrong\nSee 'docker run --help'.\n"],
    ['slipway', ['wrong'], 1, 'slipway: unknown command "wrong"; see slipway help\n'],
  ] as const)('%s %j is refused in a line or two', (name, args, code, said) => {
    const { status, stdout, stderr } = called(name, args);
    expect({ status, stdout, stderr }).toEqual({ status: code, stdout: '', stderr: said });
  });
});

describe('output that cannot be written', () => {
  test('a reader that has gone ends the command quietly, as SIGPIPE would', async () => {
    const child = spawn(process.execPath, [START, 'slipway', 'schema'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    const [code] = await once(child, 'close');
    expect({ code, complaint }).toEqual({ code: 141, complaint: '' });
  });

  test('a full disk is said in a line', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = called('slipway', ['schema'], full);
    closeSync(full);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^slipway: cannot write its output: ENOSPC.*\n$/);
  });
});

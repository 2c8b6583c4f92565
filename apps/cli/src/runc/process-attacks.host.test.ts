/** Keyrings, terminals, orphans and pids: what a process could reach past its namespaces. Each with what happens where nothing protects. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually, OURS, OURS_AND_RUNC, TestRuntime } from './testing/test-runtime.ts';

const SOURCE = fileURLToPath(new URL('testing/probe.c', import.meta.url));

/** The program of testing/probe.c on the host and as /bin/probe of a container. */
interface Place {
  readonly runtime: TestRuntime;
  readonly rootfs: string;
  readonly probe: string;
}

function makePlace(under: (typeof OURS_AND_RUNC)[number]): Place {
  const runtime = new TestRuntime(under);
  const probe = join(runtime.dir, 'probe');
  execFileSync('cc', ['-O1', '-static', '-o', probe, SOURCE]);
  const rootfs = runtime.rootfs();
  copyFileSync(probe, join(rootfs, 'bin/probe'));
  return { runtime, rootfs, probe };
}

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

describe.each(OURS_AND_RUNC)('past the namespaces, by $name', (under) => {
  let place: Place;
  beforeAll(() => {
    place = makePlace(under);
  });
  afterAll(() => place.runtime.dispose());

  /** Runs `/bin/probe` with these words in a container; `flags` of `run`. */
  function commandFor(words: readonly string[], { flags = [], terminal = false }: { flags?: readonly string[]; terminal?: boolean } = {}) {
    const { runtime, rootfs } = place;
    const bundle = runtime.bundle({ root: { path: rootfs }, process: { args: ['/bin/probe', ...words], terminal } }, rootfs);
    return [under.binary, '--root', runtime.root, 'run', ...flags, '--bundle', bundle, runtime.newId()];
  }

  // @attack A26: attack, control, twin
  hostTest('a key of the caller’s session is not found in the container, which has a keyring of its own', ['root'], async () => {
    const asCaller = (command: readonly string[]) => execFileSync(place.probe, ['with-key', ...command], { encoding: 'utf8' }).trim();
    expect(asCaller(commandFor(['find-key']))).toBe('ENOKEY');
    // The control: without that keyring it is there for the taking.
    expect(asCaller(commandFor(['find-key'], { flags: ['--no-new-keyring'] }))).toBe('done');
    // The benign twin: keys are of use in there.
    expect(asCaller(commandFor(['own-key']))).toBe('done');
  });

  /** What a command on a terminal of its own says, and what its terminal's next reader gets. */
  async function onTerminal(command: readonly string[]): Promise<string> {
    const line = `${command.map(quote).join(' ')}; IFS= read -r -t 1 -n 1 typed; echo "typed:$typed:"`;
    const child = spawn('script', ['-qec', `bash -c ${quote(line)}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (bytes) => {
      output += String(bytes);
    });
    await new Promise((resolve) => child.once('close', resolve));
    return output.replaceAll('\r', '');
  }

  // @attack A52: attack, control
  hostTest('a byte that a container types into its terminal is never the caller’s next command', ['root'], async () => {
    expect(await onTerminal(commandFor(['inject']))).toMatch(/ENXIO E(PERM|IO|NOTTY).*typed::/s);
    expect(await onTerminal(commandFor(['inject'], { terminal: true }))).toMatch(/typed::/s);
    // The control: a process that shares the terminal. Legacy systems allow it to anybody, others to root.
    expect(await onTerminal([place.probe, 'inject'])).toMatch(/terminal done.*typed:x:/s);
  });

  // @attack A29: attack, control, twin
  hostTest('orphans are the container’s first process’s to reap, and are gone with it at the latest', ['root'], async () => {
    const COUNT = 300;
    const zombies = (pid: number) =>
      readdirSync(`/proc/${pid}/root/proc`).filter((name) => /^\d+$/.test(name) && isZombie(`/proc/${pid}/root/proc/${name}/stat`)).length;
    for (const [init, left] of [
      ['init', 0],
      ['bad-init', COUNT], // the control: who does not reap keeps them, and nobody else
    ] as const) {
      const { runtime, rootfs } = place;
      const { id, pid } = await runtime.sleeping({ root: { path: rootfs }, process: { args: ['/bin/probe', init] } });
      await runtime.must('exec', id, '/bin/probe', 'orphans', String(COUNT));
      await eventually(() => zombies(pid) === left, 20_000);
      await runtime.must('kill', id, 'KILL');
      await eventually(async () => (await runtime.state(id)).status === 'stopped', 20_000);
      await runtime.must('delete', id);
    }
  });
});

function isZombie(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').split(') ').at(-1)?.startsWith('Z') === true;
  } catch {
    return false; // reaped meanwhile
  }
}

describe('a pid that was used again', () => {
  let place: Place;
  beforeAll(() => {
    place = makePlace(OURS);
  });
  afterAll(() => place.runtime.dispose());

  /** In a pid namespace, where a pid can be chosen: a container whose first process has ended, and a stranger with its pid. */
  function withStranger(script: string): string {
    const { runtime, rootfs, probe } = place;
    const bundle = runtime.bundle({ root: { path: rootfs }, process: { args: ['/bin/sleep', '1000'] } }, rootfs);
    const id = runtime.newId();
    const lines = [
      `runc() { ${quote(OURS.binary)} --root ${quote(runtime.root)} "$@"; }`,
      `runc create --bundle ${quote(bundle)} --pid-file ${quote(join(bundle, 'pid'))} ${id} </dev/null >/dev/null`,
      `runc start ${id}`,
      `pid=$(cat ${quote(join(bundle, 'pid'))})`,
      'kill -KILL $pid',
      'while [ -e /proc/$pid ]; do :; done',
      // Another process may take the number first; then once more.
      `(until ${quote(probe)} run-at $pid sleep 1000; [ $? != 99 ]; do :; done; echo "stranger ended") &`,
      'until [ "$(cat /proc/$pid/comm 2>/dev/null)" = sleep ]; do :; done',
      script.replaceAll('ID', id),
      '[ -e /proc/$pid ] && echo "stranger lives"',
      'kill -KILL $pid 2>/dev/null; wait',
    ];
    return execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'bash', '-c', lines.join('\n')], {
      encoding: 'utf8',
      timeout: 60_000,
    });
  }

  // @attack A34: attack
  hostTest('the stranger is neither signalled nor entered nor frozen, and the container is one that has stopped', ['root'], async () => {
    const told = withStranger(
      'runc state ID | grep status; runc kill ID KILL 2>&1; runc exec ID /bin/true 2>&1; runc pause ID 2>&1; runc delete ID && echo deleted',
    );
    expect(told).toContain('"status": "stopped"');
    expect(told).toContain('container not running');
    expect(told).toMatch(/cannot exec.*container not running.*deleted\nstranger lives\n/s);
  });

  // @attack A34: control
  hostTest('the control: who believes the pid alone ends the stranger', ['root'], async () => {
    const told = withStranger('kill -KILL $pid; while [ -e /proc/$pid ]; do :; done');
    expect(told).toContain('stranger ended');
    expect(told).not.toContain('stranger lives');
  });
});

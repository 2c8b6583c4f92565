import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { ENGINES, type ForeignEngine, MEMORY_BYTES } from '../testing/engines.ts';
import { memoryLimitOf, PeerPlace } from '../testing/peer-place.ts';
import { eventually } from '../testing/test-runtime.ts';

/** Waits for the terminal to have its size, says so, reads a line and ends with a code of its own. */
const TALK = ['sh', '-c', 'until stty size | grep -q "30 90"; do sleep 0.1; done; echo ready; read line; echo "heard $line"; exit 5'];
const SLEEP = ['sleep', '1000'];
const PATIENT_MS = 60_000;
const NEEDS = ['root', 'overlayfs'] as const;

describe.each(ENGINES)('Debian’s $name runs on our runtime', ({ start }) => {
  let place: PeerPlace;
  let engine: ForeignEngine;
  beforeAll(async () => {
    place = new PeerPlace();
    engine = await start(place);
  }, 120_000);
  afterAll(() => place.dispose(), 120_000);

  const called = (verb: string) => place.calls().some((line) => line.split(' ').includes(verb));

  hostTest('a program in the foreground: output, errors and exit code', [...NEEDS], async () => {
    const { code, stdout, stderr } = await engine.run(['sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect([code, stdout.trim(), stderr]).toEqual([7, 'out', expect.stringContaining('err')]);
    for (const verb of ['create', 'start', 'delete']) expect([verb, called(verb)]).toEqual([verb, true]);
  });

  hostTest('a program on a terminal: its size, what is typed, its exit code', [...NEEDS], async () => {
    const { code, stdout } = await engine.runOnTerminal('hello', TALK);
    expect([code, stdout]).toEqual([5, expect.stringContaining('heard hello')]);
  });

  hostTest('a program that is not there is an error, and leaves no container', [...NEEDS], async () => {
    const { code, stderr } = await engine.run(['nosuch']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/not found/);
  });

  hostTest('a container in the background: limited, entered, paused, thawed, signalled, killed', [...NEEDS], async () => {
    const trap = 'trap "echo heard > /usr1" USR1; while :; do sleep 0.1; done';
    await engine.begin('life', ['sh', '-c', trap]);
    const pid = await engine.pid('life');
    expect([await engine.status('life'), memoryLimitOf(pid)]).toEqual(['running', String(MEMORY_BYTES)]);

    expect(await engine.exec('life', ['sh', '-c', 'id -u; exit 3'])).toMatchObject({ code: 3, stdout: '0\n' });
    const { code, stdout } = await engine.execOnTerminal('life', 'there', TALK);
    expect([code, stdout]).toEqual([5, expect.stringContaining('heard there')]);

    await engine.pause('life');
    expect(await engine.status('life')).toBe('paused');
    await engine.resume('life');
    expect(await engine.status('life')).toBe('running');

    await engine.kill('life', 'USR1');
    await eventually(async () => (await engine.exec('life', ['cat', '/usr1'])).stdout === 'heard\n', PATIENT_MS);
    await engine.kill('life', 'KILL');
    await eventually(async () => (await engine.status('life')) === 'stopped', PATIENT_MS);
    expect(await engine.remove('life')).toBe(137);
    for (const verb of ['exec', 'pause', 'resume', 'kill']) expect([verb, called(verb)]).toEqual([verb, true]);
  });

  hostTest('another limit while it runs, where the engine has a command for it', [...NEEDS], async () => {
    if (engine.update === undefined) return;
    await engine.begin('updated', SLEEP);
    const pid = await engine.pid('updated');
    await engine.update('updated', 2 * MEMORY_BYTES);

    expect([memoryLimitOf(pid), called('update')]).toEqual([String(2 * MEMORY_BYTES), true]);
    await engine.kill('updated', 'KILL');
    expect(await engine.remove('updated')).toBe(137);
  });
});

import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { podmanFiles } from '../testing/engines.ts';
import { BUSYBOX_ARCHIVE, PeerPlace } from '../testing/peer-place.ts';
import { eventually } from '../testing/test-runtime.ts';

const NEEDS = ['root', 'overlayfs'] as const;
const TALK = 'until stty size | grep -q "30 90"; do sleep 0.1; done; echo ready; read line; echo "heard $line"; exit 5';

describe('Debian’s buildah runs on our runtime', () => {
  let place: PeerPlace;
  let buildah: readonly string[];
  let env: Readonly<Record<string, string>>;
  /** A working container that `run` goes into. */
  let container: string;
  beforeAll(async () => {
    place = new PeerPlace();
    ({ buildah, env } = podmanFiles(place));
    await place.must([...buildah, 'pull', '-q', `docker-archive:${BUSYBOX_ARCHIVE}`], env);
    const limits = ['--memory', '64m', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', '--cgroup-parent', `/${place.name}`];
    container = (await place.must([...buildah, 'from', '--pull-never', ...limits, 'busybox'], env)).trim();
  }, 120_000);
  afterAll(() => place.dispose(), 120_000);

  const run = (...flags: readonly string[]) => [
    ...buildah,
    'run',
    '--runtime',
    place.runtime,
    '--isolation',
    'oci',
    '--network',
    'none',
    ...flags,
  ];

  hostTest('run: output, exit code, limits, and what is written stays', [...NEEDS], async () => {
    const line = 'echo kept > /file; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; exit 6';
    const { code, stdout } = await place.run([...run(container, '--'), 'sh', '-c', line], env);
    expect([code, stdout]).toEqual([6, expect.stringContaining(String(64 * 1024 * 1024))]);
    expect(await place.must([...run(container, '--'), 'cat', '/file'], env)).toBe('kept\n');
  });

  hostTest('run --terminal: its size, what is typed, its exit code', [...NEEDS], async () => {
    const { code, stdout } = await place.onTerminal('hello', [...run('--terminal', container, '--'), 'sh', '-c', TALK], env);
    expect([code, stdout]).toEqual([5, expect.stringContaining('heard hello')]);
  });

  hostTest('a run that is killed ends as such', [...NEEDS], async () => {
    const before = place.calls().length;
    const running = place.run([...run(container, '--'), 'sleep', '1000'], env);
    const id = await startedId(() => place.calls().slice(before));
    await eventually(async () => (await place.run([place.runtime, 'state', id])).stdout.includes('"running"'), 60_000);
    await place.must([place.runtime, 'kill', id, 'KILL']);
    expect(await running).toMatchObject({ code: 1, stderr: expect.stringContaining('container exited on killed') });
  });

  hostTest('bud: RUN steps run on it, and their files are in the image', [...NEEDS], async () => {
    const file = place.write('context/Containerfile', 'FROM busybox\nRUN echo built > /made && cat /made\nCMD ["cat", "/made"]\n');
    const flags = [
      '--runtime',
      place.runtime,
      '--isolation',
      'oci',
      '--network',
      'none',
      '--ulimit',
      'nofile=1024:1024',
      '--ulimit',
      'nproc=1024:1024',
    ];
    const { code, stdout } = await place.run([...buildah, 'bud', ...flags, '-t', 'made', '-f', file, place.path('context')], env);
    expect([code, stdout]).toEqual([0, expect.stringContaining('built')]);
    expect(await place.must([...buildah, 'images', '-n'], env)).toContain('localhost/made');
  });
});

/** The id of the container that was started by one of these calls. */
async function startedId(calls: () => readonly string[]): Promise<string> {
  const start = () => calls().find((line) => / ?start /.test(line));
  await eventually(() => start() !== undefined, 60_000);
  return start()?.split(' ').at(-1) ?? '';
}

/** Overlays mounted by hand, as the host sees them; and what it does not let itself be shown. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBody } from '@slipway/journal';
import { hostTest } from '@slipway/testing';
import { expect } from 'vitest';
import { sampleOverlays } from './overlay-sampler.ts';

/** Runs lines in a mount namespace of their own, in a directory on tmpfs, and looks while it is there. */
async function inMountNamespace(
  lines: readonly string[],
  look: (target: { initHostPid: number }, base: string) => Promise<void>,
): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'overlay-'));
  const script = [`mount -t tmpfs none ${base}`, `cd ${base}`, 'mkdir low lower2 up work merged', ...lines, 'echo ready', 'exec sleep 60'];
  const shell = spawn('unshare', ['-m', 'sh', '-ec', script.join('\n')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(shell, 'close');
  try {
    await once(shell.stdout, 'data');
    await look({ initHostPid: Number(shell.pid) }, base);
  } finally {
    shell.kill('SIGKILL');
    await closed;
    rmSync(base, { recursive: true, force: true });
  }
}

const target = (initHostPid: number) => ({ id: 'm1', initHostPid, cgroupPrefix: {} });
/** The host's own mounts were there when the namespace began, and are none of ours. */
const below = (base: string, initHostPid: number) =>
  sampleOverlays(target(initHostPid)).mounts.filter(({ mountPoint }) => mountPoint.startsWith(`${base}/`));

hostTest(
  'what was written, copied up and deleted stands in the upper directory, and is told apart',
  ['root', 'linux', 'overlayfs'],
  async () => {
    const lines = [
      'mkdir low/etc; echo one > low/etc/motd; echo gone > low/gone; echo two > lower2/two',
      'mount -t overlay overlay -o lowerdir=low:lower2,upperdir=up,workdir=work merged',
      'echo new > merged/new; echo more >> merged/etc/motd; rm merged/gone',
    ];
    await inMountNamespace(lines, async ({ initHostPid }, base) => {
      const mounts = below(base, initHostPid);
      expect(mounts).toEqual([
        {
          mountPoint: `${base}/merged`,
          // Relative ones are taken from beside the mount point.
          lower: [`${base}/low`, `${base}/lower2`],
          upper: `${base}/up`,
          work: `${base}/work`,
          mountLine: expect.stringContaining('lowerdir=low:lower2'),
          entries: [
            { path: '/etc', kind: 'directory', sizeBytes: 0, covers: true },
            { path: '/etc/motd', kind: 'file', sizeBytes: 9, covers: true },
            { path: '/gone', kind: 'whiteout', sizeBytes: 0, covers: true },
            { path: '/new', kind: 'file', sizeBytes: 4 },
          ],
        },
      ]);
      expect(checkBody({ type: 'overlays', mounts })).toEqual({ type: 'overlays', mounts });
    });
  },
);

hostTest('a link in an upper directory’s way shows nothing of the host', ['root', 'linux', 'overlayfs'], async () => {
  const secret = mkdtempSync(join(tmpdir(), 'overlay-secret-'));
  writeFileSync(join(secret, 'of-the-host'), '');
  const mounted =
    'mkdir in; mkdir in/up in/work; mount -t overlay overlay -o lowerdir=low,upperdir=in/up,workdir=in/work merged; echo x > merged/mine';
  // The same mount with a real directory at that place is looked into: the twin.
  await inMountNamespace([mounted], async ({ initHostPid }, base) => {
    expect(below(base, initHostPid)[0]?.entries.map(({ path }) => path)).toEqual(['/mine']);
  });
  for (const moved of [`mv in real; ln -s ${secret} in`, `mv in/up real; ln -s ${secret} in/up`, `mv in/up real; ln -s / in/up`]) {
    await inMountNamespace([mounted, moved], async ({ initHostPid }, base) => {
      expect(below(base, initHostPid)).toEqual([expect.objectContaining({ entries: [] })]);
    });
  }
  rmSync(secret, { recursive: true });
});

hostTest('much in it is cut, and a machine that is gone has nothing', ['root', 'linux', 'overlayfs'], async () => {
  const lines = [
    'mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work merged',
    'i=0; while [ $i -lt 300 ]; do : > merged/f$i; i=$((i+1)); done',
  ];
  let pid = 0;
  await inMountNamespace(lines, async ({ initHostPid }, base) => {
    pid = initHostPid;
    const [mount] = below(base, initHostPid);
    expect([mount?.entries.length, mount?.truncated]).toEqual([200, true]);
  });
  expect(sampleOverlays(target(pid))).toEqual({ mounts: [], truncated: false });
});

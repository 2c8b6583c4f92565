import { expect, test } from 'vitest';
import { describeMissing, detectHostFeatures } from './host-features.ts';
import { MemoryControlFiles } from './memory-control-files.ts';

const GOOD = {
  '/proc/sys/kernel/osrelease': '6.1.0-13-amd64\n',
  '/proc/sys/kernel/cap_last_cap': '40\n',
  '/proc/self/status': 'Name:\tnode\nUid:\t0\t0\t0\t0\nCapBnd:\t000001ffffffffff\n',
  '/proc/self/mountinfo': '41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  '/proc/filesystems': 'nodev\tproc\nnodev\ttracefs\nnodev\toverlay\n\text4\n',
  '/proc/sys/user/max_user_namespaces': '15000\n',
  '/proc/sys/kernel/seccomp/actions_avail': 'kill_process kill_thread trap errno user_notif trace log allow\n',
};

test('a complete host has nothing to say', () => {
  const features = detectHostFeatures(new MemoryControlFiles({ files: GOOD }));
  expect(describeMissing(features)).toEqual([]);
  expect(features.kernelRelease).toBe('6.1.0-13-amd64');
});

test('each missing feature is one line: what, why, what to do', () => {
  const bare = {
    ...GOOD,
    '/proc/sys/kernel/osrelease': '5.4.0\n',
    '/proc/self/status': 'Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nCapBnd:\t000001fffeffffff\n',
    '/proc/self/mountinfo': '',
    '/proc/filesystems': 'nodev\tproc\n',
    '/proc/sys/user/max_user_namespaces': '0\n',
    '/proc/sys/kernel/seccomp/actions_avail': '',
  };
  const features = detectHostFeatures(new MemoryControlFiles({ files: bare }));
  const lines = describeMissing(features);
  expect(features.missingCapabilities).toEqual(['CAP_SYS_RESOURCE']);
  expect(lines.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
    'kernel-version',
    'root',
    'capabilities',
    'cgroups',
    'overlay',
    'user-namespaces',
    'tracefs',
    'seccomp',
  ]);
  for (const line of lines) expect(line.split('; ').length).toBeGreaterThanOrEqual(3);
  expect(lines.join('\n')).not.toContain('undefined');
});

import { planDeviceProgram } from '@slipway/cgroups';
import { createLauncher } from '@slipway/launcher';
import type { SpecResources } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { HostContainers } from './testing/host-containers.ts';

const launcher = createLauncher();
let containers: HostContainers;
beforeAll(() => {
  containers = new HostContainers();
});
afterAll(() => containers.dispose());

/** As on a host with v2 alone; here the container's v2 group may stand beside v1's. */
function programOf(devices: NonNullable<SpecResources['devices']>): Uint8Array {
  const program = planDeviceProgram(devices, { mode: 'v2', canSetDevices: true });
  if (program === undefined) throw new Error('no program');
  return program;
}

const PROBE = [
  'rm -f /tmp/full /tmp/random /tmp/disk',
  'mknod /tmp/full c 1 7 && echo made-full',
  'mknod /tmp/random c 1 8 && echo made-random',
  'mknod /tmp/disk b 254 0 2>/dev/null && echo made-disk',
  '(: </tmp/full) 2>/dev/null && echo read-full',
  '(: >>/tmp/full) 2>/dev/null && echo write-full',
  '(: <>/tmp/full) 2>/dev/null && echo both-full',
  '(: </tmp/random) 2>/dev/null && echo read-random',
  'echo end',
].join('\n');

hostTest(
  'the kernel asks the program about every open and every node, and takes another in one step [runtime-spec/config-linux.md#allowed-device-list]',
  ['root', 'linux', 'cgroup2'],
  async () => {
    const { id } = await containers.started();
    const group = (await containers.runtime.state(id)).cgroups['unified'] ?? '';
    const probe = async () => (await containers.exec(id, PROBE)).trim().split('\n');
    const everything = ['made-full', 'made-random', 'made-disk', 'read-full', 'write-full', 'both-full', 'read-random', 'end'];
    expect(await probe()).toEqual(everything);

    const rules = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', access: 'm' },
      { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' },
      { allow: true, type: 'c', major: 1, minor: 7, access: 'r' },
    ];
    await launcher.guardDevices(group, programOf(rules));
    expect(await probe()).toEqual(['made-full', 'made-random', 'read-full', 'end']);

    // Were it added and not exchanged, the old one would go on denying.
    await launcher.guardDevices(group, programOf([...rules, { allow: true, type: 'c', major: 1, minor: 7, access: 'w' }]));
    expect(await probe()).toEqual(['made-full', 'made-random', 'read-full', 'write-full', 'both-full', 'end']);
    await launcher.guardDevices(group, programOf([{ allow: true }]));
    expect(await probe()).toEqual(everything);
  },
);

hostTest('a list of a thousand rules is a program that the kernel takes', ['root', 'linux', 'cgroup2'], async () => {
  const { id } = await containers.started();
  const group = (await containers.runtime.state(id)).cgroups['unified'] ?? '';
  const many = Array.from({ length: 1000 }, (_, index) => ({
    allow: index % 3 !== 0,
    type: 'c',
    major: index % 256,
    minor: index,
    access: 'rw',
  }));

  await launcher.guardDevices(group, programOf([{ allow: false }, ...many, { allow: true, type: 'c', major: 1, minor: 3 }]));
  expect(await containers.exec(id, ': </dev/null && echo open')).toBe('open\n');
});

hostTest('what is no program, or no cgroup, is refused by name', ['root', 'linux', 'cgroup2'], async () => {
  const { id } = await containers.created();
  const group = (await containers.runtime.state(id)).cgroups['unified'] ?? '';
  const subject = '/linux/resources/devices';

  await expect(launcher.guardDevices(group, new Uint8Array(8))).rejects.toThrow(
    expect.objectContaining({ subject, code: 'E_LAUNCH_INVALID' }),
  );
  await expect(launcher.guardDevices(group, new Uint8Array(7))).rejects.toThrow(expect.objectContaining({ subject }));
  await expect(launcher.guardDevices('/tmp', programOf([{ allow: true }]))).rejects.toThrow(
    expect.objectContaining({ subject, kind: 'unsupported' }),
  );
});

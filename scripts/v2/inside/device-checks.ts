/**
 * Devices on a host with cgroup v2 alone: the runtime's own program decides, from the first instruction and after each update.
 *
 * Knows: the machine's disk, which no container may read.
 * Does not know: how rules become a program (packages/cgroups), nor who attaches it (packages/launcher).
 */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { HostContainers } from '../../../packages/runtime/src/testing/host-containers.ts';
import { check, run } from './report.ts';

const RULES = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 11, access: 'r' },
];

const PROBE = [
  'rm -f /tmp/kmsg /tmp/disk',
  'mknod /tmp/kmsg c 1 11 && echo made-kmsg',
  'mknod /tmp/disk b 254 0 && echo made-disk',
  '(: </tmp/kmsg) && echo read-kmsg',
  '(: >>/tmp/kmsg) && echo write-kmsg',
  '(: </tmp/disk) && echo read-disk',
  '(: </image-disk) && echo read-image-disk',
  '(: </dev/null) && echo read-null',
].join('\n');

export async function checkDevices(): Promise<void> {
  const containers = new HostContainers();
  /** A node that the image brings. */
  await run('mknod', `${containers.rootfs}/image-disk`, 'b', '254', '0');
  const probe = async (id: string) => (await containers.exec(id, `exec 2>/dev/null; ${PROBE}`)).trim().split('\n');
  const everything = ['made-kmsg', 'made-disk', 'read-kmsg', 'write-kmsg', 'read-disk', 'read-image-disk', 'read-null'];
  try {
    // @attack A20: control
    await check('without rules a container opens the machine’s disk: what the rules are for', async () => {
      deepEqual(await probe((await containers.started()).id), everything);
    });
    // @attack A20: attack, twin
    await check('device rules hold on v2: nodes are made, and opened only as the rules say', async () => {
      const { output } = await containers.shell(`exec 2>/dev/null; ${PROBE}`, { linux: { resources: { devices: RULES } } });
      deepEqual(output.trim().split('\n'), ['made-kmsg', 'made-disk', 'read-kmsg', 'read-null']);
    });
    await check('an update exchanges the rules of a running container, there and back', async () => {
      const { id } = await containers.started({ linux: { resources: { devices: RULES } } });
      await containers.runtime.update(id, { devices: [...RULES, { allow: true, type: 'b', major: 254, minor: 0, access: 'r' }] });
      deepEqual(await probe(id), ['made-kmsg', 'made-disk', 'read-kmsg', 'read-disk', 'read-image-disk', 'read-null']);
      await containers.runtime.update(id, { devices: RULES });
      deepEqual(await probe(id), ['made-kmsg', 'made-disk', 'read-kmsg', 'read-null']);
      await rejects(containers.runtime.update(id, { devices: [], cpu: { cpus: '4000' } }), { code: 'E_CGROUP_VALUE' });
      deepEqual(await probe(id), ['made-kmsg', 'made-disk', 'read-kmsg', 'read-null']);
      await containers.runtime.update(id, { devices: [] });
      deepEqual(await probe(id), everything);
      equal((await containers.runtime.spec(id)).linux?.resources?.devices?.length, 0);
    });
    await check('nothing had to be left out', () => deepEqual(containers.warnings, []));
  } finally {
    await containers.dispose();
  }
}

/** A program's file capabilities, in a shared layer, below the overlay that a container of a lab machine stands on. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MediaTypes } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { blobPath, configOf, descriptorOf, json, tarOf } from '../testing/archives.ts';
import { writeSharedImages } from './write-shared-images.ts';

const NEEDS = ['root', 'linux', 'overlayfs', 'user-namespaces'] as const;
const RUNC = fileURLToPath(new URL('../../../../bin/runc', import.meta.url));
const MACHINE = [{ containerID: 0, hostID: 3_000_000, size: 65_536 }];
const ALL_RIGHTS = ['CAP_SYS_ADMIN', 'CAP_SETUID', 'CAP_SETGID', 'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_SETPCAP'];
/** cap_chown=ep, in revision 2 of the attribute: that of an image's layer, which names no user namespace. */
const CAP_CHOWN = Buffer.from('0100000201000000000000000000000000000000', 'hex');
const SHOWN = { with: 'CapEff:\t0000000000000001\n', without: 'CapEff:\t0000000000000000\n' };

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'shared-caps-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** An image of one program twice, with the capability and without. @returns the directory of the layers, unpacked */
async function share(): Promise<string> {
  const program = readFileSync('/bin/busybox');
  const layer = tarOf([
    [{ name: 'with/grep', type: 'file', mode: 0o755, xattrs: new Map([['security.capability', CAP_CHOWN]]) }, program],
    [{ name: 'without/grep', type: 'file', mode: 0o755 }, program],
  ]);
  const config = configOf([layer]);
  const manifest = json({
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: descriptorOf(MediaTypes.ociConfig, config),
    layers: [descriptorOf(MediaTypes.ociLayer, layer)],
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'caps:latest' };
  mkdirSync(`${base}/layout/blobs/sha256`, { recursive: true });
  for (const bytes of [config, manifest, layer]) writeFileSync(`${base}/layout/${blobPath(bytes)}`, bytes);
  const index = { schemaVersion: 2, manifests: [{ ...descriptorOf(MediaTypes.ociManifest, manifest), annotations }] };
  writeFileSync(`${base}/layout/index.json`, JSON.stringify(index));
  const platform = { os: 'linux', architecture: 'amd64' };
  await writeSharedImages(`${base}/shared`, { layout: `${base}/layout`, names: ['caps:latest'], platform });
  return `${base}/shared/layers`;
}

/** What the program says of its rights to a user of a machine: the layers are mounted with its ids, and below an overlay of its own. */
function inMachine(layers: string, ...overlayOptions: readonly string[]): Record<'with' | 'without', string> {
  const rootfs = `${base}/machine/rootfs`;
  for (const name of ['usr', 'proc', 'shared', 'w']) mkdirSync(`${rootfs}/${name}`, { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, `${rootfs}/${name}`);
  const [{ hostID = 0 } = {}] = MACHINE;
  for (const path of [rootfs, ...readdirSync(rootfs).map((name) => `${rootfs}/${name}`)])
    if (!/(bin|lib|lib64)$/.test(path)) chownSync(path, hostID, hostID);
  const [layer = ''] = readdirSync(layers);
  const overlay = [...overlayOptions, 'userxattr', `lowerdir=/shared/${layer}/fs`, 'upperdir=/w/u', 'workdir=/w/k'].join(',');
  const ask = (which: string) => `setpriv --reuid 1000 --regid 1000 --clear-groups /w/m/${which}/grep CapEff /proc/self/status`;
  const script = `mkdir /w/u /w/k /w/m && mount -t overlay o -o ${overlay} /w/m && ${ask('with')} && ${ask('without')}`;
  const capabilities = Object.fromEntries(['bounding', 'effective', 'permitted'].map((set) => [set, ALL_RIGHTS]));
  const mounts = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/usr', type: 'bind', source: '/usr', options: ['rbind', 'ro'] },
    { destination: '/w', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
    { destination: '/shared', type: 'bind', source: layers, options: ['bind', 'ro', 'idmap'] },
  ];
  const namespaces = ['user', 'mount', 'pid'].map((type) => ({ type }));
  const process = { user: { uid: 0, gid: 0 }, args: ['/bin/sh', '-c', script], env: ['PATH=/usr/sbin:/usr/bin'], cwd: '/', capabilities };
  const linux = { namespaces, uidMappings: MACHINE, gidMappings: MACHINE };
  writeFileSync(`${base}/machine/config.json`, JSON.stringify({ ociVersion: '1.2.0', process, root: { path: 'rootfs' }, mounts, linux }));
  const said = execFileSync(RUNC, ['--root', `${base}/state`, 'run', '--bundle', `${base}/machine`, 'caps'], { encoding: 'utf8' });
  rmSync(`${base}/machine`, { recursive: true });
  const [first = '', second = ''] = said.split(/(?<=\n)/);
  return { with: first, without: second };
}

hostTest('they count in a machine, for the program that has them and for no other', [...NEEDS], async () => {
  expect(inMachine(await share())).toEqual(SHOWN);
});

hostTest('the control: where programs raise nobody’s rights they count for nobody', [...NEEDS], async () => {
  expect(inMachine(await share(), 'nosuid')).toEqual({ ...SHOWN, with: SHOWN.without });
});

/**
 * The `linux` part of a config.json: namespaces, id maps, devices, sysctls, hidden paths.
 *
 * Knows: the rules the specification and the kernel put on these fields, and which of them need a namespace to be safe.
 * Does not know: resources and seccomp (files of their own), nor this host.
 *
 * @spec runtime-spec/config-linux.md
 */
import { at, ID_MAX, type IssueList, isAbsent, type Json, quote } from './issue-list.ts';
import { isPropagation } from './mount-options.ts';
import { checkResources } from './validate-resources.ts';
import { checkMemoryPolicy } from './validate-scheduling.ts';
import { checkSeccomp } from './validate-seccomp.ts';

export const NAMESPACE_TYPES = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'] as const;

/** Checks `linux` below `/linux`; `spec` is the whole document, for rules between fields. */
export function checkLinux(list: IssueList, linux: Json, spec: Json): void {
  checkNamespaces(list, linux['namespaces']);
  checkUserMappings(list, linux);
  list.array('/linux/devices', linux['devices'], (path, item) => checkDevice(list, path, item));
  checkCgroupsPath(list, linux['cgroupsPath']);
  checkResources(list, linux['resources']);
  checkPropagation(list, linux['rootfsPropagation']);
  checkSeccomp(list, linux['seccomp']);
  checkSysctls(list, linux, spec);
  checkHiddenPaths(list, linux);
  list.text('/linux/mountLabel', linux['mountLabel'], { empty: 'allowed' });
  checkTimeOffsets(list, linux['timeOffsets']);
  checkNetDevices(list, linux['netDevices']);
  checkIntelRdt(list, linux['intelRdt']);
  checkMemoryPolicy(list, linux['memoryPolicy']);
  const personality = list.object('/linux/personality', linux['personality']);
  if (personality === undefined) return;
  list.oneOf('/linux/personality/domain', personality['domain'], PERSONALITY_DOMAINS);
  list.texts('/linux/personality/flags', personality['flags']);
}

export const PERSONALITY_DOMAINS = ['LINUX', 'LINUX32'] as const;

function checkTimeOffsets(list: IssueList, value: unknown): void {
  const offsets = list.object('/linux/timeOffsets', value);
  for (const clock of offsets === undefined ? [] : ['monotonic', 'boottime']) {
    const offset = list.object(`/linux/timeOffsets/${clock}`, offsets?.[clock]);
    if (offset === undefined) continue;
    list.integer(`/linux/timeOffsets/${clock}/secs`, offset['secs']);
    list.integer(`/linux/timeOffsets/${clock}/nanosecs`, offset['nanosecs'], { min: 0, max: 999_999_999 });
  }
}

function checkNetDevices(list: IssueList, value: unknown): void {
  for (const [name, entry] of Object.entries(list.object('/linux/netDevices', value) ?? {})) {
    const device = list.object(at('/linux/netDevices', name), entry, true);
    if (device !== undefined) list.text(`${at('/linux/netDevices', name)}/name`, device['name'], { empty: 'allowed' });
  }
}

function checkIntelRdt(list: IssueList, value: unknown): void {
  const rdt = list.object('/linux/intelRdt', value);
  if (rdt === undefined) return;
  for (const field of ['closID', 'l3CacheSchema', 'memBwSchema']) list.text(`/linux/intelRdt/${field}`, rdt[field], { empty: 'allowed' });
  list.texts('/linux/intelRdt/schemata', rdt['schemata']);
  list.boolean('/linux/intelRdt/enableMonitoring', rdt['enableMonitoring']);
}

/** Whether the document asks for (or joins) a namespace of this type. */
export function hasNamespace(linux: Json | undefined, type: (typeof NAMESPACE_TYPES)[number]): boolean {
  const namespaces = linux?.['namespaces'];
  return Array.isArray(namespaces) && namespaces.some((entry: unknown) => isObject(entry) && entry['type'] === type);
}

function checkNamespaces(list: IssueList, value: unknown): void {
  const seen = new Set<string>();
  list.array('/linux/namespaces', value, (path, item) => {
    const namespace = list.object(path, item, true);
    if (namespace === undefined) return;
    const type = list.oneOf(`${path}/type`, namespace['type'], NAMESPACE_TYPES);
    if (type !== undefined && seen.has(type)) list.add(`${path}/type`, `${quote(type)} is asked for twice`);
    if (type !== undefined) seen.add(type);
    // Go writers leave an empty string for "a new one".
    if (namespace['path'] !== '') list.absolutePath(`${path}/path`, namespace['path'], false);
  });
}

/** @spec runtime-spec/config-linux.md#user-namespace-mappings/fields */
function checkUserMappings(list: IssueList, linux: Json): void {
  const fields = ['uidMappings', 'gidMappings'].filter((field) => !isAbsent(linux[field]));
  for (const field of fields) checkIdMappings(list, `/linux/${field}`, linux[field]);
  const hasUser = hasNamespace(linux, 'user');
  const filled = fields.filter((field) => Array.isArray(linux[field]) && linux[field].length > 0);
  if (!hasUser) for (const field of filled) list.add(`/linux/${field}`, 'needs a user namespace in /linux/namespaces');
  const joinsUser =
    hasUser && (linux['namespaces'] as Json[]).some((entry) => isObject(entry) && entry['type'] === 'user' && entry['path']);
  if (!hasUser || joinsUser) return;
  for (const field of ['uidMappings', 'gidMappings'].filter((name) => !filled.includes(name))) {
    list.add(`/linux/${field}`, 'is missing, and a new user namespace has no ids without it');
  }
}

/** The kernel's own limit on lines of an id map. */
const MAPPINGS_MAX = 340;

/** Shape, ranges and overlaps of one id map. @see user_namespaces(7) */
export function checkIdMappings(list: IssueList, path: string, value: unknown): void {
  const ranges: { path: string; containerID: number; hostID: number; size: number }[] = [];
  const all = list.array(path, value, (at, item) => {
    const mapping = list.object(at, item, true);
    if (mapping === undefined) return;
    const range = { required: true, min: 0, max: ID_MAX };
    const containerID = list.integer(`${at}/containerID`, mapping['containerID'], range);
    const hostID = list.integer(`${at}/hostID`, mapping['hostID'], range);
    const size = list.integer(`${at}/size`, mapping['size'], { required: true, min: 1, max: ID_MAX + 1 });
    if (containerID === undefined || hostID === undefined || size === undefined) return;
    const line = { path: at, containerID: Number(containerID), hostID: Number(hostID), size: Number(size) };
    if (Math.max(line.containerID, line.hostID) + line.size - 1 > ID_MAX) list.add(`${at}/size`, `is ${size}, which runs past the last id`);
    ranges.push(line);
  });
  if (all !== undefined && all.length > MAPPINGS_MAX) list.add(path, `has more than ${MAPPINGS_MAX} lines, the most the kernel takes`);
  for (const side of ['containerID', 'hostID'] as const) checkOverlap(list, side, ranges);
}

function checkOverlap<T extends { path: string; size: number }>(list: IssueList, side: keyof T & string, ranges: readonly T[]): void {
  const sorted = ranges
    .map((range) => ({ path: range.path, first: Number(range[side]), size: range.size }))
    .sort((a, b) => a.first - b.first);
  for (const [index, range] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before !== undefined && before.first + before.size > range.first)
      list.add(`${range.path}/${side}`, `overlaps the range at ${before.path}`);
  }
}

/** @spec runtime-spec/config-linux.md#devices/fields */
function checkDevice(list: IssueList, path: string, item: unknown): void {
  const device = list.object(path, item, true);
  if (device === undefined) return;
  const type = list.oneOf(`${path}/type`, device['type'], ['c', 'b', 'u', 'p'] as const);
  list.absolutePath(`${path}/path`, device['path']);
  const numbered = type !== undefined && type !== 'p';
  // 12 and 20 bits, as the kernel packs a device number.
  list.integer(`${path}/major`, device['major'], { required: numbered, min: 0, max: 4095 });
  list.integer(`${path}/minor`, device['minor'], { required: numbered, min: 0, max: 1_048_575 });
  list.integer(`${path}/fileMode`, device['fileMode'], { min: 0, max: 0o177_777 });
  list.integer(`${path}/uid`, device['uid'], { min: 0, max: ID_MAX });
  list.integer(`${path}/gid`, device['gid'], { min: 0, max: ID_MAX });
}

function checkCgroupsPath(list: IssueList, value: unknown): void {
  const text = list.text('/linux/cgroupsPath', value, { empty: 'allowed' });
  if (text === undefined || text === '') return;
  // A line break would split a line of /proc/PID/cgroup, and make later readers see another group.
  if (/[\n\r]/.test(text)) list.add('/linux/cgroupsPath', 'holds a line break');
  if (text.split('/').includes('..')) list.add('/linux/cgroupsPath', `${quote(text)} climbs out with ".."`);
  if (text.split('/').some((name) => Buffer.byteLength(name) > 255)) list.add('/linux/cgroupsPath', 'has a name longer than 255 bytes');
}

/** @spec runtime-spec/config-linux.md#rootfs-mount-propagation/unknown */
function checkPropagation(list: IssueList, value: unknown): void {
  const word = list.text('/linux/rootfsPropagation', value, { empty: 'allowed' });
  if (word !== undefined && word !== '' && !isPropagation(word))
    list.add('/linux/rootfsPropagation', `${quote(word)} is not a propagation type`);
}

/** @spec runtime-spec/config-linux.md#masked-paths/absolute, runtime-spec/config-linux.md#readonly-paths/absolute */
function checkHiddenPaths(list: IssueList, linux: Json): void {
  for (const field of ['maskedPaths', 'readonlyPaths']) {
    const paths = list.array(`/linux/${field}`, linux[field], (path, item) => list.absolutePath(path, item));
    if (paths !== undefined && paths.length > 0 && !hasNamespace(linux, 'mount')) {
      list.add(`/linux/${field}`, 'needs a mount namespace in /linux/namespaces, or the host would lose these paths');
    }
  }
}

/** Sysctls that live in the ipc namespace; everything else outside `net.` and `fs.mqueue.` belongs to the host. */
const IPC_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** Only sysctls of a namespace the container has: the others would change the host (CVE-2022-0811 and its kind). */
function checkSysctls(list: IssueList, linux: Json, spec: Json): void {
  const sysctls = list.object('/linux/sysctl', linux['sysctl']);
  for (const [key, value] of Object.entries(sysctls ?? {})) {
    const path = `/linux/sysctl/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const text = list.text(path, value, { required: true, empty: 'allowed' });
    if (text !== undefined && /[\n\r]/.test(text)) list.add(path, 'holds a line break');
    const problem = findSysctlProblem(key, linux, spec);
    if (problem !== undefined) list.add(path, problem);
  }
}

function findSysctlProblem(key: string, linux: Json, spec: Json): string | undefined {
  // A slash may stand for the separator; a name between separators may then hold dots (network interfaces).
  if (!/^[a-z0-9_][A-Za-z0-9_@:-]*([./][A-Za-z0-9_@:-]+)+$/.test(key)) return `${quote(key)} is not the name of a sysctl`;
  const name = key.replaceAll('/', '.');
  const needs = (type: 'ipc' | 'network' | 'uts') =>
    hasNamespace(linux, type) ? undefined : `needs a ${type} namespace of the container's own`;
  if (IPC_SYSCTLS.has(name) || name.startsWith('fs.mqueue.')) return needs('ipc');
  if (name.startsWith('net.')) return needs('network');
  if (name === 'kernel.domainname') return needs('uts');
  if (name === 'kernel.hostname') return isAbsent(spec['hostname']) ? needs('uts') : 'is set beside /hostname; keep one of them';
  return `${quote(key)} is not namespaced: it would change the whole host`;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The `linux.resources` part of a config.json: limits.
 *
 * Knows: the ranges the kernel takes for each, whatever the cgroup version.
 * Does not know: which controllers this host has (packages/cgroups).
 *
 * @spec runtime-spec/config-linux.md#control-groups
 */
import { EngineError } from '@slipway/errors';
import { at, IssueList, isAbsent, quote } from './issue-list.ts';
import type { SpecResources } from './runtime-spec.ts';
import { checkBlockIo, checkFurtherLimits } from './validate-io.ts';

/** Below this no process can even be started: its page tables, kernel stacks and the runtime's own start need that much. */
export const MEMORY_LIMIT_MIN_BYTES = 512 * 1024;

const INT64_MAX = 9_223_372_036_854_775_807n;

/** Checks `resources` below `path`; also used for `update`, where the document is a bare resources object. */
export function checkResources(list: IssueList, value: unknown, path = '/linux/resources'): void {
  const resources = list.object(path, value);
  if (resources === undefined) return;
  list.array(`${path}/devices`, resources['devices'], (item, rule) => checkDeviceRule(list, item, rule));
  checkMemory(list, `${path}/memory`, resources['memory']);
  checkCpu(list, `${path}/cpu`, resources['cpu']);
  const pids = list.object(`${path}/pids`, resources['pids']);
  if (pids !== undefined) list.integer(`${path}/pids/limit`, pids['limit'], { required: true, min: -1, max: INT64_MAX });
  checkBlockIo(list, `${path}/blockIO`, resources['blockIO']);
  checkFurtherLimits(list, path, resources);
  checkUnified(list, `${path}/unified`, resources['unified']);
}

/**
 * Checks limits on their own, as `update` takes them; pointers are those of a config.json.
 *
 * @throws EngineError `invalid-argument` / `E_SPEC_INVALID` with every issue
 */
export function validateResources(document: unknown): SpecResources {
  const list = new IssueList();
  if (list.object('/linux/resources', document, true) !== undefined) checkResources(list, document);
  const [first] = list.issues;
  if (first === undefined) return document as SpecResources;
  const more = list.issues.length === 1 ? '' : ` (and ${list.issues.length - 1} more)`;
  throw new EngineError('invalid-argument', `resources: ${first.path} ${first.message}${more}`, {
    code: 'E_SPEC_INVALID',
    op: 'spec.validate',
    subject: first.path,
    issues: list.issues,
  });
}

/** @spec runtime-spec/config-linux.md#allowed-device-list/allow */
function checkDeviceRule(list: IssueList, path: string, item: unknown): void {
  const rule = list.object(path, item, true);
  if (rule === undefined) return;
  list.boolean(`${path}/allow`, rule['allow'], true);
  if (rule['type'] !== '') list.oneOf(`${path}/type`, rule['type'], ['a', 'b', 'c'], false);
  // -1 is Go writers' wildcard.
  list.integer(`${path}/major`, rule['major'], { min: -1, max: 4095 });
  list.integer(`${path}/minor`, rule['minor'], { min: -1, max: 1_048_575 });
  const access = list.text(`${path}/access`, rule['access'], { empty: 'allowed' });
  if (access !== undefined && !/^[rwm]{0,3}$/.test(access)) list.add(`${path}/access`, `${quote(access)} may hold r, w and m only`);
}

function checkMemory(list: IssueList, path: string, value: unknown): void {
  const memory = list.object(path, value);
  if (memory === undefined) return;
  const bytes = { min: -1, max: INT64_MAX };
  const limit = list.integer(`${path}/limit`, memory['limit'], bytes);
  const reservation = list.integer(`${path}/reservation`, memory['reservation'], bytes);
  const swap = list.integer(`${path}/swap`, memory['swap'], bytes);
  for (const field of ['kernel', 'kernelTCP']) list.integer(`${path}/${field}`, memory[field], bytes);
  list.integer(`${path}/swappiness`, memory['swappiness'], { min: 0, max: 100 });
  for (const field of ['disableOOMKiller', 'useHierarchy', 'checkBeforeUpdate']) list.boolean(`${path}/${field}`, memory[field]);
  if (isSet(limit) && limit < MEMORY_LIMIT_MIN_BYTES) {
    list.add(`${path}/limit`, `is ${limit} bytes, too low for any process; give it ${MEMORY_LIMIT_MIN_BYTES} bytes or more`);
  }
  if (isSet(swap) && !isSet(limit)) list.add(`${path}/swap`, 'is memory plus swap, so it needs a memory limit beside it');
  if (isSet(swap) && isSet(limit) && swap < limit)
    list.add(`${path}/swap`, `is ${swap}, below the memory limit of ${limit} that it includes`);
  if (isSet(reservation) && isSet(limit) && reservation > limit)
    list.add(`${path}/reservation`, `is ${reservation}, above the limit of ${limit}`);
}

/** @spec runtime-spec/config-linux.md#cpu/burst-and-quota */
function checkCpu(list: IssueList, path: string, value: unknown): void {
  const cpu = list.object(path, value);
  if (cpu === undefined) return;
  const shares = list.integer(`${path}/shares`, cpu['shares'], { min: 0, max: 262_144 });
  if (shares === 1) list.add(`${path}/shares`, 'is 1, needs to be 2 or more (0 leaves the default)');
  const quota = list.integer(`${path}/quota`, cpu['quota'], { min: -1, max: INT64_MAX });
  if (isSet(quota) && quota < 1000) list.add(`${path}/quota`, `is ${quota} microseconds, needs to be 1000 or more (-1 lifts it)`);
  const period = list.integer(`${path}/period`, cpu['period'], { min: 0, max: 1_000_000 });
  if (isSet(period) && period < 1000) list.add(`${path}/period`, `is ${period} microseconds, needs to be 1000 to 1000000`);
  const burst = list.integer(`${path}/burst`, cpu['burst'], { min: 0, max: INT64_MAX });
  if (isSet(burst) && isSet(quota) && burst > quota) list.add(`${path}/burst`, `is ${burst}, above the quota of ${quota}`);
  list.integer(`${path}/realtimeRuntime`, cpu['realtimeRuntime'], { min: -1, max: INT64_MAX });
  list.integer(`${path}/realtimePeriod`, cpu['realtimePeriod'], { min: 0, max: INT64_MAX });
  list.integer(`${path}/idle`, cpu['idle'], { min: 0, max: 1 });
  for (const field of ['cpus', 'mems']) checkNumberList(list, `${path}/${field}`, cpu[field]);
}

/** `0-3,7`: the kernel's list format. @see cpuset(7) */
function checkNumberList(list: IssueList, path: string, value: unknown): void {
  const text = list.text(path, value, { empty: 'allowed' });
  if (text === undefined || text === '') return;
  const ranges = text.trim().split(',');
  for (const range of ranges) {
    const [, first, last] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(range) ?? [];
    if (first === undefined || (last !== undefined && Number(last) < Number(first))) {
      return void list.add(path, `${quote(text)} is not a list such as "0-3,7"`);
    }
  }
}

/** Keys are file names of one cgroup directory, never paths. */
function checkUnified(list: IssueList, path: string, value: unknown): void {
  const unified = list.object(path, value);
  for (const [key, text] of Object.entries(unified ?? {})) {
    if (!/^[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)+$/.test(key)) list.add(at(path, key), `${quote(key)} is not the name of a cgroup file`);
    list.text(at(path, key), text, { required: true, empty: 'allowed' });
  }
}

/** Zero and negative values mean "not limited" for every one of these fields. */
function isSet(value: number | bigint | undefined): value is number | bigint {
  return !isAbsent(value) && value > 0;
}

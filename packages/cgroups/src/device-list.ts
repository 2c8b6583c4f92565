/**
 * Device rules as cgroup v1 takes them: a default, and a list of exceptions from it.
 *
 * The kernel takes back an exception only when it is named exactly as it was made, and `a` with numbers as everything. So the list is
 * kept here too: what a rule takes back is spelled as it stands there, and what the list cannot say is refused, since the kernel would
 * take it without a word and do something else.
 *
 * Knows: the kernel's list and its words.
 * Does not know: where the files are.
 *
 * @see kernel Documentation/admin-guide/cgroup-v1/devices.rst
 */
import { EngineError } from '@slipway/errors';
import type { SpecResources } from '@slipway/oci';
import type { WantedWrite } from './control-writes.ts';
import { ACCESS, type DeviceRule, isTotal, parseDeviceRules } from './device-rules.ts';

interface Exception {
  readonly type: 'b' | 'c';
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly access: number;
}

/** @throws EngineError `unsupported` / `E_CGROUP_RESOURCE` for a rule that only a program (v2) could follow */
export function planDeviceList(devices: SpecResources['devices']): readonly WantedWrite[] {
  const known = devices === undefined ? undefined : planned.get(devices);
  if (known !== undefined) return known;
  const list = new DeviceList();
  const writes = parseDeviceRules(devices).flatMap((rule, index) => list.add(rule, `/linux/resources/devices/${index}`));
  if (devices !== undefined) planned.set(devices, writes);
  return writes;
}

/** An engine's containers have one list in common, the very same. */
const planned = new WeakMap<NonNullable<SpecResources['devices']>, readonly WantedWrite[]>();

/** The kernel's list as it will stand after the writes so far. A fresh group's allows everything. */
class DeviceList {
  #allowsByDefault = true;
  #exceptions: readonly Exception[] = [];

  add(rule: DeviceRule, pointer: string): WantedWrite[] {
    if (isTotal(rule)) {
      this.#allowsByDefault = rule.allow;
      this.#exceptions = [];
      return [write(rule.allow, 'a', pointer)];
    }
    const kinds = rule.type === 'a' ? (['b', 'c'] as const) : [rule.type];
    return kinds.flatMap((type) => {
      const wanted = { ...rule, type };
      return rule.allow === this.#allowsByDefault ? this.#takeBack(wanted, rule.allow, pointer) : this.#except(wanted, rule.allow, pointer);
    });
  }

  #except(wanted: Exception, allow: boolean, pointer: string): WantedWrite[] {
    const same = this.#exceptions.find((each) => isSame(each, wanted));
    const { type, major, minor } = wanted;
    const merged = { type, major, minor, access: wanted.access | (same?.access ?? 0) };
    this.#exceptions = [...this.#exceptions.filter((each) => each !== same), merged];
    return [write(allow, format(wanted), pointer)];
  }

  #takeBack(wanted: Exception, allow: boolean, pointer: string): WantedWrite[] {
    const touched = this.#exceptions.filter((each) => overlaps(each, wanted));
    if (touched.some((each) => !isWithin(each, wanted))) throw notInList(allow, pointer);
    this.#exceptions = this.#exceptions
      .map((each) => (touched.includes(each) ? { ...each, access: each.access & ~wanted.access } : each))
      .filter(({ access }) => access !== 0);
    return touched.map((each) => write(allow, format({ ...each, access: each.access & wanted.access }), pointer));
  }
}

function isSame(a: Exception, b: Exception): boolean {
  return a.type === b.type && a.major === b.major && a.minor === b.minor;
}

function overlaps(a: Exception, b: Exception): boolean {
  const meet = (x: number | undefined, y: number | undefined) => x === undefined || y === undefined || x === y;
  return a.type === b.type && meet(a.major, b.major) && meet(a.minor, b.minor) && (a.access & b.access) !== 0;
}

function isWithin(inner: Exception, outer: Exception): boolean {
  const covers = (x: number | undefined, y: number | undefined) => y === undefined || x === y;
  return covers(inner.major, outer.major) && covers(inner.minor, outer.minor);
}

function format({ type, major, minor, access }: Exception): string {
  const letters = (['r', 'w', 'm'] as const).filter((letter) => (access & ACCESS[letter]) !== 0).join('');
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${letters}`;
}

function write(allow: boolean, value: string, pointer: string): WantedWrite {
  return { controller: 'devices', file: allow ? 'devices.allow' : 'devices.deny', value, pointer };
}

function notInList(allow: boolean, pointer: string): EngineError {
  const what = `${pointer} ${allow ? 'allows' : 'denies'} part of what an earlier rule ${allow ? 'denies' : 'allows'}, which cgroup v1 has no way to say`;
  return new EngineError('unsupported', what, {
    code: 'E_CGROUP_RESOURCE',
    op: 'cgroup.plan',
    subject: pointer,
    hint: 'write the earlier rule for single devices, or use cgroup v2',
  });
}

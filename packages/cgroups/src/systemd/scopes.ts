/**
 * Scopes of systemd: its name for a group of processes that it did not start itself.
 *
 * Knows: what systemd is asked at the beginning, during and at the end of a scope, and when it has done it.
 * Does not know: containers; what is in the group's files beside the properties.
 *
 * @see org.freedesktop.systemd1(5), systemd.scope(5)
 */
import { EngineError } from '@slipway/errors';
import { DbusConnection, DbusError, type DbusValue, hostControlFiles } from '@slipway/kernel';
import type { CgroupHost } from '../host.ts';
import type { ScopeName } from './scope-name.ts';
import type { UnitProperty } from './scope-properties.ts';

/** systemd answers here itself, to root alone, whether or not the host has a message bus. */
const SOCKET = '/run/systemd/private';
const MANAGER = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
} as const;
const NO_SUCH_UNIT = 'org.freedesktop.systemd1.NoSuchUnit';
const UNIT_EXISTS = 'org.freedesktop.systemd1.UnitExists';

/**
 * On v1 systemd owns its own hierarchy and leaves most of the others to whoever comes first.
 *
 * @throws EngineError `unsupported` / `E_CGROUP_DRIVER` where there is no systemd to ask, or a hierarchy of v1
 */
export function requireSystemd(host: CgroupHost): void {
  const lacks =
    host.mode !== 'v2'
      ? 'a host with cgroup v2 alone'
      : hostControlFiles.kind(SOCKET) === undefined
        ? 'systemd as the host’s first process, and to be root'
        : undefined;
  if (lacks === undefined) return;
  throw new EngineError('unsupported', `the systemd cgroup driver needs ${lacks}`, {
    code: 'E_CGROUP_DRIVER',
    op: 'cgroup.open',
    subject: 'systemd',
    hint: 'leave out --systemd-cgroup, and give a cgroup path without colons',
  });
}

/**
 * Makes the scope and its group, with `pid` in it and every controller handed down. It ends by itself when its last process has ended.
 *
 * @throws EngineError `failed-precondition` / `E_CGROUP_IN_USE` for a unit that is there; `unavailable` / `E_SYSTEMD`, with what systemd says
 */
export async function startScope(scope: ScopeName, pid: number, limits: readonly UnitProperty[]): Promise<void> {
  const properties: UnitProperty[] = [
    ['Description', text(`container ${scope.unit.replace(/\.scope$/, '')}`)],
    ['Slice', text(scope.slice)],
    ['PIDs', { type: 'au', value: [pid] }],
    ['Delegate', yes(true)],
    ['DefaultDependencies', yes(false)],
    // Or a scope that ended badly would go on occupying its name.
    ['CollectMode', text('inactive-or-failed')],
    ...['MemoryAccounting', 'CPUAccounting', 'IOAccounting', 'TasksAccounting'].map((name): UnitProperty => [name, yes(true)]),
    ...limits,
  ];
  await asking(scope.unit, (systemd) =>
    finishJob(systemd, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', [scope.unit, 'fail', forWire(properties), []]),
  );
}

/** Until the host boots again, as everything about a scope. @throws EngineError `unavailable` / `E_SYSTEMD` */
export async function setScopeLimits(unit: string, limits: readonly UnitProperty[]): Promise<void> {
  if (limits.length === 0) return;
  await asking(unit, (systemd) =>
    systemd.call({ ...MANAGER, member: 'SetUnitProperties', signature: 'sba(sv)', body: [unit, true, forWire(limits)] }),
  );
}

/** Ends whatever is in the scope, and the scope. Idempotent. @throws EngineError `unavailable` / `E_SYSTEMD` */
export async function stopScope(unit: string): Promise<void> {
  await asking(unit, (systemd) => finishJob(systemd, 'StopUnit', 'ss', [unit, 'replace']), NO_SUCH_UNIT);
}

/** `quietly`: the one answer that means that there is nothing to do. */
async function asking(unit: string, ask: (systemd: DbusConnection) => Promise<unknown>, quietly?: string): Promise<void> {
  await using systemd = new DbusConnection(SOCKET);
  try {
    await ask(systemd);
  } catch (cause) {
    if (cause instanceof DbusError && cause.error === quietly) return;
    throw cause instanceof DbusError && cause.error === UNIT_EXISTS ? inUse(unit, cause) : refused(unit, cause);
  }
}

/** A job of systemd's is over when it says so, not when the call that began it is answered. */
async function finishJob(systemd: DbusConnection, member: string, signature: string, body: readonly DbusValue[]): Promise<void> {
  const [job = ''] = await systemd.call({ ...MANAGER, member, signature, body });
  const [, , , result] = await systemd.signal('JobRemoved', ([, path]) => path === job);
  if (result !== 'done') throw new Error(`the job ended as ${JSON.stringify(result)}`);
}

function forWire(properties: readonly UnitProperty[]): DbusValue {
  return properties.map(([name, value]) => [name, value]);
}

function text(value: string): UnitProperty[1] {
  return { type: 's', value };
}

function yes(value: boolean): UnitProperty[1] {
  return { type: 'b', value };
}

function inUse(unit: string, cause: unknown): EngineError {
  return new EngineError('failed-precondition', `systemd has a unit ${JSON.stringify(unit)} already`, {
    code: 'E_CGROUP_IN_USE',
    op: 'cgroup.create',
    subject: '/linux/cgroupsPath',
    hint: 'give the container a cgroup path of its own',
    cause,
  });
}

function refused(unit: string, cause: unknown): EngineError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new EngineError('unavailable', `systemd does not do what was asked for ${JSON.stringify(unit)}: ${said}`, {
    code: 'E_SYSTEMD',
    op: 'cgroup.scope',
    subject: unit,
    hint: `\`systemctl status ${unit}\` and systemd’s log say more`,
    cause,
  });
}

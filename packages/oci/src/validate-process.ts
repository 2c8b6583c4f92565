/**
 * The `process` part of a config.json: what is started, as whom, with which rights.
 *
 * Knows: the rules the specification and execve(2) put on these fields.
 * Does not know: whether the program exists.
 *
 * @spec runtime-spec/config.md#process
 */

import { EngineError } from '@slipway/errors';
import { ID_MAX, IssueList, isAbsent, quote } from './issue-list.ts';
import { rlimitNumber, rlimitValue } from './rlimits.ts';
import type { SpecProcess } from './runtime-spec.ts';
import { checkScheduling } from './validate-scheduling.ts';

/** Checks `process` below `/process`. Absent is fine: such a container can be created, not started. */
export function checkProcess(list: IssueList, value: unknown, path = '/process'): void {
  const fields = list.object(path, value);
  if (fields === undefined) return;
  list.boolean(`${path}/terminal`, fields['terminal']);
  checkConsole(list, `${path}/consoleSize`, fields['consoleSize']);
  list.absolutePath(`${path}/cwd`, fields['cwd']);
  checkArgs(list, `${path}/args`, fields['args']);
  checkEnv(list, `${path}/env`, fields['env']);
  checkUser(list, `${path}/user`, fields['user']);
  checkCapabilities(list, `${path}/capabilities`, fields['capabilities']);
  checkRlimits(list, `${path}/rlimits`, fields['rlimits']);
  list.boolean(`${path}/noNewPrivileges`, fields['noNewPrivileges']);
  list.text(`${path}/apparmorProfile`, fields['apparmorProfile'], { empty: 'allowed' });
  list.text(`${path}/selinuxLabel`, fields['selinuxLabel'], { empty: 'allowed' });
  list.integer(`${path}/oomScoreAdj`, fields['oomScoreAdj'], { min: -1000, max: 1000 });
  checkScheduling(list, fields, path);
}

/**
 * Checks a process document on its own, as `exec --process` takes it; pointers start at its root.
 *
 * @throws EngineError `invalid-argument` / `E_SPEC_INVALID` with every issue
 */
export function validateProcess(document: unknown): SpecProcess {
  const list = new IssueList();
  if (list.object('', document, true) !== undefined) checkProcess(list, document, '');
  const [first] = list.issues;
  if (first === undefined) return document as SpecProcess;
  const more = list.issues.length === 1 ? '' : ` (and ${list.issues.length - 1} more)`;
  throw new EngineError('invalid-argument', `process: ${first.path || 'the document'} ${first.message}${more}`, {
    code: 'E_SPEC_INVALID',
    op: 'spec.validate',
    subject: first.path,
    issues: list.issues,
  });
}

/** @spec runtime-spec/config.md#process/console-size-both */
function checkConsole(list: IssueList, path: string, value: unknown): void {
  const size = list.object(path, value);
  if (size === undefined) return;
  for (const field of ['height', 'width']) list.integer(`${path}/${field}`, size[field], { required: true, min: 0, max: 65_535 });
}

function checkArgs(list: IssueList, path: string, value: unknown): void {
  const args = list.texts(path, value, { empty: 'allowed' });
  if (args === undefined) return void (isAbsent(value) && list.add(path, 'is missing'));
  if (args.length === 0) list.add(path, 'is empty; it needs at least the program to run');
  else if (args[0] === '') list.add(`${path}/0`, 'is empty; it names the program to run');
}

function checkEnv(list: IssueList, path: string, value: unknown): void {
  list.array(path, value, (at, item) => {
    const entry = list.text(at, item, { required: true });
    if (entry?.startsWith('=')) list.add(at, `${quote(entry)} has no name before "="`);
  });
}

function checkUser(list: IssueList, path: string, value: unknown): void {
  const user = list.object(path, value);
  if (user === undefined) return;
  const id = { min: 0, max: ID_MAX };
  list.integer(`${path}/uid`, user['uid'], id);
  list.integer(`${path}/gid`, user['gid'], id);
  list.integer(`${path}/umask`, user['umask'], { min: 0, max: 0o777 });
  const groups = list.array(`${path}/additionalGids`, user['additionalGids'], (at, item) =>
    list.integer(at, item, { ...id, required: true }),
  );
  // NGROUPS_MAX of the kernel.
  if (groups !== undefined && groups.length > 65_536) list.add(`${path}/additionalGids`, 'has more than 65536 groups');
}

const CAPABILITY_SETS = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'];

/**
 * Only the shape of the names is checked. The specification wants a name unknown to this kernel, or one that cannot be granted,
 * to be a warning and not a failure; the planner has both the table and the host's sets.
 */
function checkCapabilities(list: IssueList, path: string, value: unknown): void {
  const sets = list.object(path, value);
  if (sets === undefined) return;
  for (const set of CAPABILITY_SETS) {
    list.array(`${path}/${set}`, sets[set], (at, item) => {
      const name = list.text(at, item, { required: true });
      if (name !== undefined && !/^CAP_[A-Z_]{1,60}$/.test(name)) list.add(at, `${quote(name)} is not a capability`);
    });
  }
}

function checkRlimits(list: IssueList, path: string, value: unknown): void {
  const seen = new Set<string>();
  list.array(path, value, (at, item) => {
    const limit = list.object(at, item, true);
    if (limit === undefined) return;
    const type = list.text(`${at}/type`, limit['type'], { required: true });
    if (type !== undefined) {
      if (rlimitNumber(type) === undefined) list.add(`${at}/type`, `${quote(type)} is not a resource limit`);
      if (seen.has(type)) list.add(`${at}/type`, `${quote(type)} is set twice`);
      seen.add(type);
    }
    const soft = list.integer(`${at}/soft`, limit['soft'], { required: true, min: -1 });
    const hard = list.integer(`${at}/hard`, limit['hard'], { required: true, min: -1 });
    if (soft !== undefined && hard !== undefined && rlimitValue(soft) > rlimitValue(hard)) {
      list.add(`${at}/soft`, `is ${soft}, above the hard limit of ${hard}`);
    }
  });
}

/**
 * `USER` as people write it → numbers, by the image's own /etc/passwd and /etc/group.
 *
 * Knows: the forms `name`, `uid`, `name:group`, `uid:gid`, and the format of both files.
 * Does not know: how the files are read safely (layered-root.ts).
 */
import { EngineError } from '@slipway/errors';

/** Who a process runs as, in container ids. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** From /etc/passwd; `/` when unknown. */
  readonly home: string;
}

/** The two files' text; absent files are empty text. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The highest id the kernel takes in a user namespace map; (uid_t)-1 means "leave alone" to chown and setresuid. */
const MAX_ID = 4_294_967_294;
const MAX_GROUPS = 1024;

/**
 * Resolves `user` (`''` is root) and `groupAdd`.
 *
 * A name that is missing is refused, never treated as root. Supplementary groups include the primary one, as
 * setgroups would otherwise let a process leave a group that denies it something.
 *
 * @throws EngineError invalid-argument / E_USER_UNKNOWN
 */
export function resolveUser(user: string, files: AccountFiles, groupAdd: readonly string[] = []): ResolvedUser {
  const [userPart = '', groupPart, ...rest] = user.split(':');
  if (rest.length > 0) throw unknown('user', user, 'expected user or user:group');
  const { accounts, groups } = parsed(files);
  const account = findAccount(userPart, accounts);
  const gid = groupPart === undefined || groupPart === '' ? account.gid : findGroup(groupPart, groups);
  const named = account.name === undefined || (groupPart ?? '') !== '' ? [] : memberships(account.name, groups);
  const added = groupAdd.map((group) => findGroup(group, groups));
  return { uid: account.uid, gid, additionalGids: [...new Set([gid, ...named, ...added])].slice(0, MAX_GROUPS), home: account.home };
}

interface ParsedFiles {
  readonly accounts: readonly PasswdEntry[];
  readonly groups: readonly GroupEntry[];
}

/** An image's files are looked into for each of its containers. */
const parsedFiles = new WeakMap<AccountFiles, ParsedFiles>();

function parsed(files: AccountFiles): ParsedFiles {
  const known = parsedFiles.get(files) ?? { accounts: parsePasswd(files.passwd), groups: parseGroups(files.group) };
  parsedFiles.set(files, known);
  return known;
}

function findAccount(user: string, accounts: readonly PasswdEntry[]): { uid: number; gid: number; home: string; name?: string } {
  const wanted = user === '' ? '0' : user;
  const named = accounts.find((entry) => entry.name === wanted);
  if (named !== undefined) return named;
  const uid = parseId(wanted);
  if (uid === undefined) throw unknown('user', user);
  return accounts.find((entry) => entry.uid === uid) ?? { uid, gid: 0, home: '/' };
}

function findGroup(group: string, groups: readonly GroupEntry[]): number {
  const named = groups.find((entry) => entry.name === group);
  const gid = named?.gid ?? parseId(group);
  if (gid === undefined) throw unknown('group', group);
  return gid;
}

function memberships(name: string, groups: readonly GroupEntry[]): readonly number[] {
  return groups.filter((entry) => entry.members.includes(name)).map((entry) => entry.gid);
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return lines(text).flatMap(([name, , uid, gid, , home]) => {
    const ids = [parseId(uid), parseId(gid)] as const;
    if (!name || ids[0] === undefined || ids[1] === undefined) return [];
    return [{ name, uid: ids[0], gid: ids[1], home: home?.startsWith('/') ? home : '/' }];
  });
}

function parseGroups(text: string): readonly GroupEntry[] {
  return lines(text).flatMap(([name, , gid, members]) => {
    const id = parseId(gid);
    return !name || id === undefined ? [] : [{ name, gid: id, members: (members ?? '').split(',').filter(Boolean) }];
  });
}

function lines(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

/** Decimal digits only: `-1`, `0x0`, `1e3` and ids past the kernel's range are not ids, so that none wraps round to 0. */
function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

function unknown(what: 'user' | 'group', subject: string, why?: string): EngineError {
  const reason = why ?? `no matching entries in ${what === 'user' ? 'passwd' : 'group'} file`;
  return new EngineError('invalid-argument', `unable to find ${what} ${subject}: ${reason}`, {
    code: 'E_USER_UNKNOWN',
    op: 'container.create',
    subject,
    hint: `use a ${what} of the image, or a number below 4294967295`,
  });
}

/**
 * The `linux.seccomp` part of a config.json: the filter for system calls.
 *
 * Knows: the words of the specification and which of them belong together.
 * Does not know: system calls (a name unknown to this kernel is allowed, and ignored), nor how a filter is compiled
 * (packages/runtime/src/seccomp).
 *
 * @spec runtime-spec/config-linux.md#seccomp
 */
import { type IssueList, isAbsent, type Json } from './issue-list.ts';

export const SECCOMP_ACTIONS = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
] as const;

export type SeccompAction = (typeof SECCOMP_ACTIONS)[number];

export const SECCOMP_ARCHITECTURES = [
  'SCMP_ARCH_X86',
  'SCMP_ARCH_X86_64',
  'SCMP_ARCH_X32',
  'SCMP_ARCH_ARM',
  'SCMP_ARCH_AARCH64',
  'SCMP_ARCH_MIPS',
  'SCMP_ARCH_MIPS64',
  'SCMP_ARCH_MIPS64N32',
  'SCMP_ARCH_MIPSEL',
  'SCMP_ARCH_MIPSEL64',
  'SCMP_ARCH_MIPSEL64N32',
  'SCMP_ARCH_PPC',
  'SCMP_ARCH_PPC64',
  'SCMP_ARCH_PPC64LE',
  'SCMP_ARCH_S390',
  'SCMP_ARCH_S390X',
  'SCMP_ARCH_PARISC',
  'SCMP_ARCH_PARISC64',
  'SCMP_ARCH_RISCV64',
  'SCMP_ARCH_LOONGARCH64',
  'SCMP_ARCH_M68K',
  'SCMP_ARCH_SH',
  'SCMP_ARCH_SHEB',
] as const;

export const SECCOMP_OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;

export type SeccompOperator = (typeof SECCOMP_OPERATORS)[number];

export const SECCOMP_FLAGS = [
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
  'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
] as const;

const UINT64_MAX = 18_446_744_073_709_551_615n;
/** What plain JSON.parse makes of 2^64-1. */
const UINT64_ROUNDED = 18_446_744_073_709_551_616n;
const ERRNO_MAX = 4095;
const RULES_MAX = 10_000;

/** Checks `seccomp` below `path`. */
export function checkSeccomp(list: IssueList, value: unknown, path = '/linux/seccomp'): void {
  const seccomp = list.object(path, value);
  if (seccomp === undefined) return;
  const action = list.oneOf(`${path}/defaultAction`, seccomp['defaultAction'], SECCOMP_ACTIONS);
  checkErrno(list, `${path}/defaultErrnoRet`, { value: seccomp['defaultErrnoRet'], action });
  list.array(`${path}/architectures`, seccomp['architectures'], (at, item) => list.oneOf(at, item, SECCOMP_ARCHITECTURES));
  list.array(`${path}/flags`, seccomp['flags'], (at, item) => list.oneOf(at, item, SECCOMP_FLAGS));
  for (const field of ['listenerPath', 'listenerMetadata']) list.text(`${path}/${field}`, seccomp[field], { empty: 'allowed' });
  const rules = list.array(`${path}/syscalls`, seccomp['syscalls'], (at, item) => checkRule(list, at, item));
  if (rules !== undefined && rules.length > RULES_MAX) list.add(`${path}/syscalls`, `has more than ${RULES_MAX} rules`);
  checkNotify(list, path, seccomp);
  const { listenerPath, listenerMetadata } = seccomp;
  if (!isEmptyText(listenerMetadata) && isEmptyText(listenerPath)) list.add(`${path}/listenerMetadata`, 'needs a listenerPath beside it');
}

function isEmptyText(value: unknown): boolean {
  return isAbsent(value) || value === '';
}

function checkRule(list: IssueList, path: string, item: unknown): void {
  const rule = list.object(path, item, true);
  if (rule === undefined) return;
  const names = list.texts(`${path}/names`, rule['names']);
  if (names === undefined ? isAbsent(rule['names']) : names.length === 0) list.add(`${path}/names`, 'needs at least one system call');
  const action = list.oneOf(`${path}/action`, rule['action'], SECCOMP_ACTIONS);
  checkErrno(list, `${path}/errnoRet`, { value: rule['errnoRet'], action });
  list.array(`${path}/args`, rule['args'], (at, arg) => checkArgument(list, at, arg));
}

function checkArgument(list: IssueList, path: string, item: unknown): void {
  const arg = list.object(path, item, true);
  if (arg === undefined) return;
  list.integer(`${path}/index`, arg['index'], { required: true, min: 0, max: 5 });
  for (const field of ['value', 'valueTwo']) {
    const value = list.integer(`${path}/${field}`, arg[field], { required: field === 'value', min: 0, max: UINT64_ROUNDED });
    if (typeof value === 'bigint' && value > UINT64_MAX) list.add(`${path}/${field}`, `is ${value}, needs to be ${UINT64_MAX} or less`);
  }
  list.oneOf(`${path}/op`, arg['op'], SECCOMP_OPERATORS);
}

function checkErrno(list: IssueList, path: string, { value, action }: { value: unknown; action: SeccompAction | undefined }): void {
  const errno = list.integer(path, value, { min: 0, max: action === 'SCMP_ACT_TRACE' ? 65_535 : ERRNO_MAX });
  if (errno === undefined || action === undefined) return;
  if (action !== 'SCMP_ACT_ERRNO' && action !== 'SCMP_ACT_TRACE') list.add(path, `has no meaning with ${action}`);
}

/** A filter that hands calls to an agent stops every such call for ever when there is no agent. */
function checkNotify(list: IssueList, path: string, seccomp: Json): void {
  const rules = Array.isArray(seccomp['syscalls']) ? seccomp['syscalls'] : [];
  const notifies = rules.some(
    (rule: unknown) => typeof rule === 'object' && rule !== null && 'action' in rule && rule.action === 'SCMP_ACT_NOTIFY',
  );
  if (seccomp['defaultAction'] === 'SCMP_ACT_NOTIFY') list.add(`${path}/defaultAction`, 'is SCMP_ACT_NOTIFY, which cannot be a default');
  if (notifies && isAbsent(seccomp['listenerPath']))
    list.add(`${path}/listenerPath`, 'is missing, and SCMP_ACT_NOTIFY needs an agent to answer');
}

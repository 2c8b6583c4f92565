import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CAPABILITY_NAMES, capabilitiesOfMask, capabilityName, capabilityNumber, parseCapability } from './capabilities.ts';
import { parseMountOptions } from './mount-options.ts';
import { RLIMIT_NAMES, RLIMIT_UNLIMITED, rlimitNumber, rlimitValue } from './rlimits.ts';
import { parseSignal, signalName } from './signals.ts';

/** `#define CAP_X 7` lines of a kernel header of this machine. */
function definesOf(header: string, prefix: string): Map<string, number> {
  const text = readFileSync(`/usr/include/${header}`, 'utf8');
  return new Map(
    [...text.matchAll(new RegExp(`^#\\s*define\\s+(${prefix}\\w+)\\s+(\\d+)`, 'gm'))].map(([, name = '', number]) => [
      name,
      Number(number),
    ]),
  );
}

test('capability numbers are the kernel’s', () => {
  const kernel = definesOf('linux/capability.h', 'CAP_');
  expect(CAPABILITY_NAMES).toHaveLength(41);
  for (const [index, name] of CAPABILITY_NAMES.entries()) expect(kernel.get(name), name).toBe(index);
  expect([capabilityNumber('CAP_SYS_ADMIN'), capabilityNumber('sys_admin'), capabilityName(24), capabilityName(41)]).toEqual([
    21,
    undefined,
    'CAP_SYS_RESOURCE',
    undefined,
  ]);
  expect([parseCapability('net_admin'), parseCapability('CAP_chown'), parseCapability('ALL')]).toEqual([
    'CAP_NET_ADMIN',
    'CAP_CHOWN',
    undefined,
  ]);
  expect(capabilitiesOfMask(0x401n)).toEqual(['CAP_CHOWN', 'CAP_NET_BIND_SERVICE']);
});

test('resource limit numbers are the kernel’s, and unlimited has one value', () => {
  const kernel = definesOf('asm-generic/resource.h', 'RLIMIT_');
  for (const [index, name] of RLIMIT_NAMES.entries()) expect(kernel.get(name), name).toBe(index);
  expect(rlimitNumber('RLIMIT_NOFILE')).toBe(7);
  for (const unlimited of [-1, 2 ** 64, RLIMIT_UNLIMITED]) expect(rlimitValue(unlimited)).toBe(RLIMIT_UNLIMITED);
  expect(rlimitValue(1024)).toBe(1024n);
});

describe('signals', () => {
  test('names are the kernel’s', () => {
    for (const [name, number] of definesOf('asm-generic/signal.h', 'SIG')) {
      // SIGLOST stands in a comment there.
      if (number >= 1 && number <= 31 && name !== 'SIGLOST') expect(parseSignal(name), name).toBe(number);
    }
  });

  test.each([
    ['SIGTERM', 15],
    ['kill', 9],
    ['15', 15],
    ['SIGRTMIN', 34],
    ['RTMIN+3', 37],
    ['SIGRTMAX-1', 63],
    ['64', 64],
    ['0', undefined],
    ['65', undefined],
    ['-1', undefined],
    ['RTMAX+1', undefined],
    ['SIGNOPE', undefined],
    ['', undefined],
  ])('%s is %s', (text, number) => expect(parseSignal(text)).toBe(number));

  test('every number’s name reads back as the number', () => {
    for (let number = 1; number <= 64; number++) expect(parseSignal(signalName(number))).toBe(number);
  });
});

describe('mount options', () => {
  test('are sorted into attributes, recursion, propagation, kind, superblock flags and data', () => {
    expect(
      parseMountOptions(['rbind', 'ro', 'nosuid', 'noexec', 'rnodev', 'rslave', 'sync', 'size=64m', 'mode=1777', 'tmpcopyup', 'idmap']),
    ).toEqual({
      attributes: { readOnly: true, noSuid: true, noExec: true },
      recursiveAttributes: { noDev: true },
      bind: 'rbind',
      propagation: 'rslave',
      idmap: 'idmap',
      remount: false,
      copyUp: true,
      superblock: ['sync'],
      data: ['size=64m', 'mode=1777'],
    });
  });

  test('the last of two that contradict each other wins, and asking to clear is told from not asking', () => {
    expect(parseMountOptions(['ro', 'nodev', 'rw', 'strictatime', 'noatime']).attributes).toEqual({
      readOnly: false,
      noDev: true,
      atime: 'noatime',
    });
    expect(parseMountOptions(['sync', 'async']).superblock).toEqual([]);
    expect(parseMountOptions()).toEqual({
      attributes: {},
      recursiveAttributes: {},
      remount: false,
      copyUp: false,
      superblock: [],
      data: [],
    });
  });

  test('words that only look like ours are data', () => {
    expect(parseMountOptions(['constructor', 'rconstructor', 'rdma', '__proto__']).data).toEqual([
      'constructor',
      'rconstructor',
      'rdma',
      '__proto__',
    ]);
  });
});

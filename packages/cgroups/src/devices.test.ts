import type { SpecResources } from '@slipway/oci';
import { describe, expect, test } from 'vitest';
import { planDeviceList } from './device-list.ts';
import { compileDeviceRules, planDeviceProgram } from './device-program.ts';
import { ACCESS, parseDeviceRules } from './device-rules.ts';
import { askList, askProgram, type DeviceRequest, disassemble } from './testing/device-kernel.ts';

type Rules = NonNullable<SpecResources['devices']>;

const DENY_ALL = { allow: false, access: 'rwm' };
const READ = ACCESS.r;
const BOTH = ACCESS.r | ACCESS.w;
const compile = (rules: Rules) => compileDeviceRules(parseDeviceRules(rules));

/** The meaning of rules, without any machine: each bit is decided by the last rule that speaks of it. */
function meaning(rules: Rules, request: DeviceRequest): boolean {
  const speaks = ({ type, major, minor, access }: ReturnType<typeof parseDeviceRules>[number], bit: number) =>
    (type === 'a' || type === request.type) &&
    (major === undefined || major === request.major) &&
    (minor === undefined || minor === request.minor) &&
    (access & bit) !== 0;
  return Object.values(ACCESS)
    .filter((bit) => (request.access & bit) !== 0)
    .every((bit) => parseDeviceRules(rules).findLast((rule) => speaks(rule, bit))?.allow ?? true);
}

test('a program asks the last rule first, and ends with the rule about everything', () => {
  const rules = [{ allow: true }, DENY_ALL, { allow: true, type: 'c', access: 'm' }, { allow: true, type: 'c', major: 1, minor: 3 }];

  expect(disassemble(compile(rules))).toEqual([
    'r2 = context[0]',
    'r3 = r2',
    'r2 &= 65535',
    'r3 >>= 16',
    'r4 = context[4]',
    'r5 = context[8]',
    'r6 = r2',
    'r6 ^= 2',
    'r7 = r4',
    'r7 ^= 1',
    'r6 |= r7',
    'r7 = r5',
    'r7 ^= 3',
    'r6 |= r7',
    'if r6 != 0 skip 2',
    'r0 = 1',
    'exit',
    'r6 = r2',
    'r6 ^= 2',
    'if r6 != 0 skip 4',
    'r3 &= 6',
    'if r3 != 0 skip 2',
    'r0 = 1',
    'exit',
    'r0 = 0',
    'exit',
  ]);
});

describe('rules mean the same everywhere', () => {
  test.each<[string, Rules, DeviceRequest, boolean]>([
    ['nothing is denied without a rule', [{ allow: false, type: 'b' }], { type: 'c', major: 1, minor: 11, access: BOTH }, true],
    ['a later deny is stronger', [DENY_ALL, { allow: true }, DENY_ALL], { type: 'c', major: 1, minor: 3, access: READ }, false],
    [
      'making a node is no right to open it',
      [DENY_ALL, { allow: true, access: 'm' }],
      { type: 'b', major: 8, minor: 0, access: READ },
      false,
    ],
    ['one bit too many is denied', [DENY_ALL, { allow: true, access: 'r' }], { type: 'b', major: 8, minor: 0, access: BOTH }, false],
    [
      'bits may come from several rules',
      [DENY_ALL, { allow: true, major: 8, access: 'r' }, { allow: true, major: 8, access: 'w' }],
      { type: 'b', major: 8, minor: 0, access: BOTH },
      true,
    ],
    ['-1 and null mean all', [{ allow: false, type: 'c', major: -1, minor: -1 }], { type: 'c', major: 9, minor: 9, access: READ }, false],
  ])('%s', (_what, rules, request, allowed) => {
    expect(meaning(rules, request)).toBe(allowed);
    expect(askProgram(compile(rules), request)).toBe(allowed);
    expect(askList(planDeviceList(rules), request)).toBe(allowed);
  });

  test('over many rules and requests, by a program, and by a list where a list can say it', () => {
    const random = generator(20_261_128);
    let said = 0;
    for (let round = 0; round < 3000; round++) {
      const rules = Array.from({ length: 1 + random(6) }, () => randomRule(random));
      const request: DeviceRequest = { type: random(2) === 0 ? 'b' : 'c', major: random(3), minor: random(3), access: 1 + random(7) };
      const note = JSON.stringify({ rules, request });
      expect(askProgram(compile(rules), request), note).toBe(meaning(rules, request));
      const list = tryList(rules);
      // The kernel's list never joins the bits of two exceptions: one bit at a time.
      const single = { ...request, access: [1, 2, 4][random(3)] ?? 1 };
      if (list === undefined) continue;
      said++;
      expect(askList(list, single), note).toBe(meaning(rules, single));
    }
    expect(said).toBeGreaterThan(1000);
  });
});

test('what a list cannot say is refused, naming the rule', () => {
  const rules = [DENY_ALL, { allow: true, type: 'c' }, { allow: false, type: 'c', major: 1, minor: 1 }];

  expect(() => planDeviceList(rules)).toThrow(
    expect.objectContaining({ kind: 'unsupported', code: 'E_CGROUP_RESOURCE', subject: '/linux/resources/devices/2' }),
  );
});

test('"all" with numbers is spelled as both kinds: the kernel would take it as everything', () => {
  expect(planDeviceList([DENY_ALL, { allow: true, major: 1, minor: 3, access: 'r' }]).map(({ file, value }) => `${file} ${value}`)).toEqual(
    ['devices.deny a', 'devices.allow b 1:3 r', 'devices.allow c 1:3 r'],
  );
});

test('a program is for v2, for rules, and for the first user namespace', () => {
  const v2 = { mode: 'v2', canSetDevices: true } as const;

  expect(planDeviceProgram([DENY_ALL], v2)?.length).toBe(64);
  expect(planDeviceProgram([], v2)).toBeUndefined();
  expect(planDeviceProgram(undefined, v2)).toBeUndefined();
  expect(planDeviceProgram([DENY_ALL], { ...v2, canSetDevices: false })).toBeUndefined();
  expect(planDeviceProgram([DENY_ALL], { ...v2, mode: 'hybrid' })).toBeUndefined();
});

function tryList(rules: Rules): ReturnType<typeof planDeviceList> | undefined {
  try {
    return planDeviceList(rules);
  } catch {
    return undefined; // only a program can say it
  }
}

function randomRule(random: (bound: number) => number): Rules[number] {
  const maybe = <T>(value: T) => (random(2) === 0 ? undefined : value);
  const fields = {
    type: maybe(random(2) === 0 ? 'b' : 'c'),
    major: maybe(random(3)),
    minor: maybe(random(3)),
    access: maybe('rwm'.slice(random(3))),
  };
  return { allow: random(2) === 0, ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) };
}

/** A small linear congruential generator: the same numbers every time. */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

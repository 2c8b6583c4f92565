import { readFileSync } from 'node:fs';
import { hasCode } from '@slipway/errors';
import { expect, test } from 'vitest';
import { encodePlan, OPCODES } from './encode.ts';
import type { LaunchOptions } from './launcher.ts';
import type { Operation, OperationBody } from './operations.ts';

const OPTIONS: LaunchOptions = { supervision: { mode: 'detached', stdio: [0, 1, 2] } };
const HEADER_BYTES = 8 + 2 + 4 + 4 + 8 + 4 * 5 + 4;

const operation = (body: OperationBody): Operation => ({ ...body, phase: 'settings', pointer: '/field', reason: 'test' });
const encoded = (body: OperationBody, options = OPTIONS) => [
  ...encodePlan({ operations: [operation(body)] }, options).subarray(HEADER_BYTES),
];
const text = (value: string) => [value.length, 0, 0, 0, ...Buffer.from(value), 0];

test('an operation is its opcode, its breakpoint, the length of its arguments, and they', () => {
  const code = OPCODES.indexOf('hostname');
  expect(encoded({ op: 'hostname', name: 'box' })).toEqual([code, 0, 8, 0, 0, 0, ...text('box')]);
  expect(encoded({ op: 'hostname', name: 'box' }, { ...OPTIONS, breakpoints: [0] }).slice(0, 2)).toEqual([code, 1]);
});

test('frozen operations, whose bytes are kept, are encoded as others, wherever they stand', () => {
  const body = {
    op: 'mount',
    destination: '/dev',
    fsType: 'tmpfs',
    source: 'tmpfs',
    attributes: {},
    data: ['mode=755'],
    refuseSymlinks: false,
  } as const;
  const [plain, frozen] = [operation(body), Object.freeze(operation(body))];
  const before = operation({ op: 'hostname', name: 'ä'.repeat(9000) });
  for (const operations of [[0], [before, 0], [0, 0, before]]) {
    const planOf = (mount: Operation) => ({ operations: operations.map((each) => (each === 0 ? mount : each)) as Operation[] });
    for (const breakpoints of [[], [0], [1]]) {
      const options = { ...OPTIONS, breakpoints };
      expect(Buffer.from(encodePlan(planOf(frozen), options))).toEqual(Buffer.from(encodePlan(planOf(plain), options)));
    }
  }
});

test('opcodes have the same names, in the same order, as in the C program', () => {
  const header = readFileSync(new URL('../native/plan.h', import.meta.url), 'utf8');
  const names = [...header.matchAll(/^ {4}OP_([A-Z_]+)/gm)].map(([, name]) => name?.replaceAll('_', '').toLowerCase());
  expect(names).toEqual(OPCODES.slice(1).map((name) => name.toLowerCase()));
});

test('the first words are the magic and the total length', () => {
  const bytes = encodePlan({ operations: [operation({ op: 'pivotRoot' })] }, OPTIONS);
  expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe('SLP1');
  expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)).toBe(bytes.length);
});

test('attributes become bits to set and bits to clear; atime clears its whole field', () => {
  const at = 6 + text('/x').length + 4;
  type Bind = Extract<OperationBody, { op: 'bind' }>;
  const bind = (attributes: Bind['attributes'], treeAttributes: Bind['attributes'] = {}) => {
    const bytes = Buffer.from(encoded({ op: 'bind', slot: 0, destination: '/x', attributes, treeAttributes }));
    return [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(at + offset));
  };
  expect(bind({})).toEqual([0, 0, 0, 0]);
  expect(bind({ readOnly: true, noExec: true }, { noSuid: true })).toEqual([9, 0, 2, 0]);
  expect(bind({ readOnly: false, atime: 'noatime' })).toEqual([0x10, 0x71, 0, 0]);
});

test('sysctl keys travel as paths', () => {
  expect(encoded({ op: 'sysctl', key: 'net.ipv4.ip_forward', value: '1' }).slice(6)).toEqual([
    ...text('net/ipv4/ip_forward'),
    ...text('1'),
  ]);
});

test('a NUL character is refused, and the field that holds it named', () => {
  const refuse = () => encodePlan({ operations: [operation({ op: 'exec', args: ['a\0b'], env: [] })] }, OPTIONS);
  expect(refuse).toThrow(expect.objectContaining({ code: 'E_LAUNCH_PLAN', subject: '/field' }));
});

test('too many operations, too large a plan and a slot beyond the last are refused', () => {
  const many = Array.from({ length: 2049 }, () => operation({ op: 'pivotRoot' }));
  const large = [operation({ op: 'exec', args: ['x'.repeat(9 << 20)], env: [] })];
  const slot = [operation({ op: 'bindDevice', path: '/dev/null', slot: 512 })];
  for (const operations of [many, large, slot]) {
    let caught: unknown;
    try {
      encodePlan({ operations }, OPTIONS);
    } catch (error) {
      caught = error;
    }
    expect(hasCode(caught, 'E_LAUNCH_PLAN')).toBe(true);
  }
});

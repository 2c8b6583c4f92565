import { expect, test } from 'vitest';
import { type FlagTable, parseFlags } from '../flags.ts';
import { CREATE_FLAGS, containerBody, LIMIT_FLAGS, limitsBody, parseBytes } from './container-body.ts';
import { renderTemplate } from './template.ts';

const RUN: FlagTable = { ...CREATE_FLAGS, detach: { kind: 'switch', short: 'd' } };

test('run stops reading flags at the image', () => {
  const flags = parseFlags(['-itd', '--name=web', '-e', 'A=1', '-eB=2', 'busybox', 'ls', '-l', '--all'], RUN, false);

  expect(flags.words).toEqual(['busybox', 'ls', '-l', '--all']);
  expect(flags.list('env')).toEqual(['A=1', 'B=2']);
  expect([flags.has('tty'), flags.has('interactive'), flags.has('detach'), flags.value('name')]).toEqual([true, true, true, 'web']);
});

test.each([
  [['--nope', 'x'], 'unknown flag: --nope'],
  [['-Z'], "unknown shorthand flag: 'Z' in -Z"],
  [['--name'], 'flag needs an argument: --name'],
  [['--constructor=1', 'x'], 'unknown flag: --constructor'],
])('%j is a usage error', (args, message) => {
  expect(() => parseFlags(args, RUN, false)).toThrow(message);
});

test('limits become the fields of the create request', () => {
  const flags = parseFlags(['-m', '64m', '--cpus', '.5', '--pids-limit', '20', '--rm', '-h', 'box', 'busybox', 'true'], RUN, false);

  expect(containerBody(flags, {})).toMatchObject({
    Image: 'busybox',
    Cmd: ['true'],
    Hostname: 'box',
    HostConfig: { Memory: 67_108_864, NanoCpus: 500_000_000, PidsLimit: 20, AutoRemove: true, NetworkMode: 'default' },
  });
});

test('the same limits are the body of an update, those given and no others', () => {
  const flags = parseFlags(['-m', '96m', '--memory-swap=-1', '--cpuset-mems', '0', 'web'], LIMIT_FLAGS);

  expect(limitsBody(flags)).toEqual({ Memory: 100_663_296, MemorySwap: -1, CpusetMems: '0' });
});

test.each([
  ['64m', 67_108_864],
  ['1.5g', 1_610_612_736],
  ['512', 512],
  ['10KiB', 10_240],
  ['-1', -1],
  ['many', undefined],
])('the size %s is %s bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test('a variable without value is taken from the environment, and left out where it is unset', () => {
  const flags = parseFlags(['-e', 'HOME', '-e', 'NOPE', 'busybox'], RUN, false);

  expect(containerBody(flags, { HOME: '/root' })).toMatchObject({ Env: ['HOME=/root'] });
});

test.each([
  ['{{.State.Pid}}', '42'],
  ['{{json .State}}', '{"Pid":42}'],
  ['{{range .Mounts}}{{.Name}},{{end}}!', 'a,b,!'],
  ['{{range .None}}x{{end}}-', '-'],
  ['{{index .Labels "a.b"}}', 'c'],
  ['{{len .Mounts}}', '2'],
  ['{{.Id}}\\t{{.State.Pid}}', 'x\t42'],
])('the template %s gives %s', (template, output) => {
  const value = { Id: 'x', State: { Pid: 42 }, Mounts: [{ Name: 'a' }, { Name: 'b' }], None: [], Labels: { 'a.b': 'c' } };

  expect(renderTemplate(template, value)).toBe(output);
});

test.each(['{{if .X}}a{{end}}', '{{.Nope}}', '{{range .Mounts}}'])('the template %s is refused by name', (template) => {
  expect(() => renderTemplate(template, { Mounts: [] })).toThrow('template parsing error');
});

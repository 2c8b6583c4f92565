import { expect, test } from 'vitest';
import { isKnownPageLayout, parseTraceFormat, type TraceFormat } from './trace-format.ts';
import { readTracePage } from './trace-page.ts';
import { createRecordReader, type TraceRecord } from './trace-records.ts';

const common = `format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;
`;
const FORMATS = [
  `name: sched_process_exec\nID: 365\n${common}
	field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
	field:pid_t pid;	offset:12;	size:4;	signed:1;
	field:pid_t old_pid;	offset:16;	size:4;	signed:1;
`,
  `name: sched_process_exit\nID: 369\n${common}
	field:char comm[16];	offset:8;	size:16;	signed:0;
	field:pid_t pid;	offset:24;	size:4;	signed:1;
`,
  `name: sys_enter_mount\nID: 940\n${common}
	field:int __syscall_nr;	offset:8;	size:4;	signed:1;
	field:char * dev_name;	offset:16;	size:8;	signed:0;
	field:unsigned long flags;	offset:24;	size:8;	signed:0;
`,
  `name: sys_exit_clone\nID: 195\n${common}
	field:int __syscall_nr;	offset:8;	size:4;	signed:1;
	field:long ret;	offset:16;	size:8;	signed:1;
`,
  `name: sys_exit_chroot\nID: 196\n${common}
	field:int __syscall_nr;	offset:8;	size:4;	signed:1;
	field:long ret;	offset:16;	size:8;	signed:1;
`,
  `name: mark_victim\nID: 500\n${common}
	field:int pid;	offset:8;	size:4;	signed:1;
`,
  `name: task_newtask\nID: 205\n${common}
	field:pid_t pid;	offset:8;	size:4;	signed:1;
	field:char comm[16];	offset:12;	size:16;	signed:0;
	field:u64 clone_flags;	offset:32;	size:8;	signed:0;
`,
].flatMap((text) => parseTraceFormat(text) ?? []);

function payload(size: number, type: number, pid: number, fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, type, true);
  view.setInt32(4, pid, true);
  fill(view, bytes);
  return bytes;
}

const write = (bytes: Uint8Array, at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
const exec = (pid: number, filename: string) =>
  payload(20 + Math.ceil((filename.length + 1) / 4) * 4, 365, pid, (view, bytes) => {
    view.setUint32(8, ((filename.length + 1) << 16) | 20, true);
    view.setInt32(12, pid, true);
    view.setInt32(16, pid, true);
    write(bytes, 20, filename);
  });

const exited = (pid: number, comm: string) =>
  payload(28, 369, pid, (view, bytes) => {
    write(bytes, 8, comm);
    view.setInt32(24, pid, true);
  });
const mounted = (pid: number, name: bigint, flags: bigint) =>
  payload(32, 940, pid, (view) => {
    view.setBigUint64(16, name, true);
    view.setBigUint64(24, flags, true);
  });
const created = (pid: number, child: number, flags: bigint) =>
  payload(44, 205, pid, (view, bytes) => {
    view.setInt32(8, child, true);
    write(bytes, 12, 'sh');
    view.setBigUint64(32, flags, true);
  });

/** Writes a page as the kernel does; `long` stores the length apart, as for records over 112 bytes. */
function page(timeNs: number, records: ReadonlyArray<{ deltaNs: number; data: Uint8Array; long?: boolean }>, lost?: number): DataView {
  const view = new DataView(new ArrayBuffer(4096));
  view.setBigUint64(0, BigInt(timeNs), true);
  let at = 16;
  for (const { deltaNs, data, long } of records) {
    if (deltaNs >= 2 ** 27) {
      view.setUint32(at, 30 | ((deltaNs % 2 ** 27) << 5), true);
      view.setUint32(at + 4, Math.floor(deltaNs / 2 ** 27), true);
      at += 8;
    }
    const short = deltaNs >= 2 ** 27 ? 0 : deltaNs;
    view.setUint32(at, (long ? 0 : data.length / 4) | (short << 5), true);
    at += 4;
    if (long) {
      view.setUint32(at, data.length + 4, true);
      at += 4;
    }
    new Uint8Array(view.buffer).set(data, at);
    at += data.length;
  }
  let commit = at - 16;
  if (lost !== undefined) {
    view.setBigUint64(at, BigInt(lost), true);
    commit |= 0xc000_0000;
  }
  view.setUint32(8, commit >>> 0, true);
  return view;
}

function read(view: DataView, formats: readonly TraceFormat[] = FORMATS): { records: TraceRecord[]; lost: number } {
  const reader = createRecordReader(formats);
  const records: TraceRecord[] = [];
  const { lost } = readTracePage(view, (atMs, offset, length) => {
    const record = reader.read(view, atMs, offset, length);
    if (record) records.push(record);
  });
  return { records, lost };
}

test('formats tell numbers, fixed and located strings apart', () => {
  expect(FORMATS.map(({ name, id }) => [name, id])).toEqual([
    ['sched_process_exec', 365],
    ['sched_process_exit', 369],
    ['sys_enter_mount', 940],
    ['sys_exit_clone', 195],
    ['sys_exit_chroot', 196],
    ['mark_victim', 500],
    ['task_newtask', 205],
  ]);
  expect(FORMATS[0]?.fields.map(({ name, kind }) => [name, kind])).toEqual([
    ['filename', 'located'],
    ['pid', 'number'],
    ['old_pid', 'number'],
  ]);
  expect(FORMATS[1]?.fields[0]).toMatchObject({ name: 'comm', kind: 'characters', size: 16 });
  expect(FORMATS[2]?.fields[1]).toMatchObject({ name: 'dev_name', kind: 'number', size: 8 });
  expect(parseTraceFormat('nonsense')).toBeUndefined();
});

test('only the known layout of pages is accepted', () => {
  const layout = (offset: number) => `	field: u64 timestamp;	offset:0;	size:8;	signed:0;
	field: local_t commit;	offset:${offset};	size:8;	signed:1;
	field: int overwrite;	offset:8;	size:1;	signed:1;
	field: char data;	offset:16;	size:4080;	signed:0;`;
  expect([isKnownPageLayout(layout(8)), isKnownPageLayout(layout(12)), isKnownPageLayout('')]).toEqual([true, false, false]);
});

test('records of a page come with their times, across long gaps and long records', () => {
  const view = page(5_000_000, [
    { deltaNs: 0, data: exec(7, '/bin/sh') },
    { deltaNs: 500_000, data: exited(7, 'a b) -> [x') },
    { deltaNs: 1_000_000_000, data: payload(20, 999, 7, () => {}) },
    { deltaNs: 1000, data: exec(8, `/${'x'.repeat(150)}`), long: true },
  ]);
  expect(read(view)).toEqual({
    lost: 0,
    records: [
      { type: 'exec', atMs: 5, pid: 7, oldPid: 7, filename: '/bin/sh' },
      { type: 'exit', atMs: 5.5, pid: 7, comm: 'a b) -> [x' },
      { type: 'exec', atMs: 1005.501, pid: 8, oldPid: 8, filename: `/${'x'.repeat(150)}` },
    ],
  });
});

test.each<[string, Uint8Array, TraceRecord | undefined]>([
  [
    'a file name with line breaks stays one value',
    exec(7, '/a\nsh-1 [0] 1.0: sched_process_exec: x'),
    { type: 'exec', atMs: 1, pid: 7, oldPid: 7, filename: '/a\nsh-1 [0] 1.0: sched_process_exec: x' },
  ],
  [
    'a system call with its arguments in hex',
    mounted(9, 0x7ffd_0000_1234n, 0x1000n),
    { type: 'syscall', atMs: 1, pid: 9, syscall: 'mount', args: { dev_name: '0x7ffd00001234', flags: '0x1000' } },
  ],
  ['a clone that returned', payload(24, 195, 9, (v) => v.setBigInt64(16, 42n, true)), { type: 'cloned', atMs: 1, pid: 9, childPid: 42 }],
  ['a clone that failed', payload(24, 195, 9, (v) => v.setBigInt64(16, -11n, true)), undefined],
  [
    'a call that failed, and how',
    payload(24, 196, 9, (v) => v.setBigInt64(16, -1n, true)),
    { type: 'returned', atMs: 1, pid: 9, syscall: 'chroot', result: -1 },
  ],
  ['the out-of-memory killer’s choice', payload(12, 500, 9, (v) => v.setInt32(8, 10, true)), { type: 'oom', atMs: 1, pid: 9, victim: 10 }],
  ['the child side of a clone', payload(24, 195, 9, (v) => v.setBigInt64(16, 0n, true)), undefined],
  [
    'a new task with clone3 flags',
    created(9, 10, 0x2_2002_0000n),
    { type: 'newtask', atMs: 1, pid: 9, childPid: 10, flags: 0x2_2002_0000, comm: 'sh' },
  ],
  ['a record shorter than its format', payload(8, 365, 9, () => {}), { type: 'exec', atMs: 1, pid: -1, oldPid: -1, filename: '' }],
])('%s', (_name, data, expected) => {
  expect(read(page(1_000_000, [{ deltaNs: 0, data }])).records).toEqual(expected ? [expected] : []);
});

test('losses are told with their count where the kernel stored it', () => {
  expect(read(page(1, [{ deltaNs: 0, data: exec(7, '/x') }], 17)).lost).toBe(17);
  const unknown = page(1, []);
  unknown.setUint32(8, 0x8000_0000, true);
  expect(read(unknown).lost).toBe(-1);
});

test('random bytes end the page, and nothing outside it is read', () => {
  let seed = 1;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31);
  for (let n = 0; n < 2000; n++) {
    const view = new DataView(new ArrayBuffer(256));
    for (let i = 0; i < 256; i++) view.setUint8(i, random() >> 8);
    expect(() => read(view)).not.toThrow();
  }
});

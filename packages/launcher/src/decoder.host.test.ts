/** The decoder of plans in C: under sanitizers with damaged input, and in the program with input that is not a plan at all. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { hostTest } from '@slipway/testing';
import { beforeAll, expect } from 'vitest';
import { encodePlan } from './encode.ts';
import { RecordReader } from './records.ts';
import { buildNative, shimOptions, standardPlan, step } from './testing/rig.ts';

let binary: string;
let fuzzer: string;

beforeAll(() => {
  binary = buildNative();
  fuzzer = buildNative('fuzz');
}, 120_000);

const source = step('prepare', { op: 'openSource', slot: 0, hostPath: '/etc', recursive: false });
const bind = step('mounts', {
  op: 'bind',
  slot: 0,
  destination: '/mnt',
  attributes: { readOnly: true },
  idmap: { uid: [{ containerId: 0, hostId: 5, size: 9 }], gid: [], recursive: true },
});
const user = step('rights', { op: 'user', uid: 1, gid: 2, additionalGids: [3, 4, 5] });
const filter = step('rights', { op: 'seccomp', program: new Uint8Array(80), flags: 0 });
const plan = standardPlan({ rootfs: '/r', args: ['sh', '-c', 'é\n'], prepare: [source], mounts: [bind], settings: [user, filter] });
const bytes = encodePlan(plan, shimOptions('/dir'));

// @attack A49: attack
hostTest('a hundred thousand damaged plans make the decoder neither read nor write beyond its bounds', ['linux'], async () => {
  const dir = mkdtempSync('/tmp/slipway-fuzz-');
  try {
    writeFileSync(join(dir, 'plan'), bytes);
    const accepted = Number(execFileSync(fuzzer, ['20240506', '100000', join(dir, 'plan')], { encoding: 'utf8' }));
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(100_000);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** What the program says about bytes on its plan fd. */
async function answerTo(input: Uint8Array) {
  const child = spawn(binary, [], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 'pipe'], env: {} });
  const [plan, records, control] = child.stdio.slice(3) as unknown as [Duplex, Duplex, Duplex];
  const chunks: Buffer[] = [];
  for (const each of [plan, records, control]) each.on('error', () => undefined);
  records.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  plan.end(input);
  const status = await closed;
  return { status, record: new RecordReader().push(Buffer.concat(chunks))[0] };
}

hostTest('what is not exactly one plan is refused before anything is done', ['linux', 'root'], async () => {
  const longer = Uint8Array.from([...bytes, 0]);
  const inner = bytes.slice();
  inner[bytes.length - 3] = 0; // a NUL inside the last text
  const huge = bytes.slice(0, 8);
  new DataView(huge.buffer).setUint32(4, 0xffff_fff0, true);
  for (const [name, input] of Object.entries({
    empty: new Uint8Array(0),
    cut: bytes.subarray(0, -1),
    longer,
    inner,
    huge,
    garbage: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  })) {
    const { status, record } = await answerTo(input);
    expect({ status, kind: record?.kind, errno: record?.errno }, name).toEqual({
      status: 1,
      kind: 'failed',
      errno: constants.errno.EPROTO,
    });
  }
});

/** Documents that the specification calls wrong: refused by name and without a trace, or taken by a peer, for a reason that is written down. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatSpecJson, parseSpecJson } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { differs } from './testing/differences.ts';
import { FAULTS, withFault } from './testing/faults.ts';
import { RUNTIMES, TestRuntime } from './testing/test-runtime.ts';

describe.each(RUNTIMES)('documents with a fault, by $name', (under) => {
  let runtime: TestRuntime;
  let document: object;
  /** The bundle is a root directory, too: whoever takes one for the other finds a program there. */
  let bundle: string;
  beforeAll(() => {
    runtime = new TestRuntime(under);
    document = parseSpecJson(readFileSync(join(runtime.bundle(), 'config.json'), 'utf8')) as object;
    bundle = runtime.rootfs();
  });
  afterAll(() => runtime.dispose());

  const run = async (config: object) => {
    writeFileSync(join(bundle, 'config.json'), formatSpecJson(config as never));
    return await runtime.call('run', '--bundle', bundle, runtime.newId());
  };

  // @attack A19: twin
  hostTest('the document without a fault runs', ['root'], async () => {
    expect(await run(document)).toMatchObject({ code: 0, stderr: '' });
  });

  for (const fault of FAULTS) {
    hostTest(fault.what, ['root'], async () => {
      const ended = await run(withFault(document, fault));

      expect(ended.code === 0, ended.stderr).toBe(fault.difference !== undefined && differs(under, fault.difference));
    });
  }

  // @attack A19: attack, control
  hostTest('a filter without a default action is no reason to start without a filter', ['root'], async () => {
    const process = { args: ['/bin/grep', 'Seccomp:', '/proc/self/status'], terminal: false, cwd: '/', user: { uid: 0, gid: 0 } };
    const { code, stdout } = await run({ ...withFault(document, { change: { '/linux/seccomp': { syscalls: [] } } }), process });

    // The control: runc does.
    const isTaken = differs(under, 'filter-without-default');
    expect({ started: code === 0, stdout }).toEqual({ started: isTaken, stdout: isTaken ? 'Seccomp:\t0\n' : '' });
  });

  hostTest('of all of them nothing is left', ['root'], async () => {
    expect((await runtime.must('list', '--quiet')).stdout).toBe('');
    if (under.kind !== 'crun') expect(runtime.groups()).toEqual([]);
  });
});

/**
 * `slipway plan` and `slipway check`: a config.json read as the runtime would read it, with nothing done.
 *
 * Knows: how a plan is printed.
 * Does not know: how one is made (packages/runtime) or what is valid (packages/oci).
 */
import { detectCgroups } from '@slipway/cgroups';
import { readText } from '@slipway/kernel';
import type { Operation } from '@slipway/launcher';
import { parseSpecJson, type RuntimeSpec, SPEC_MAX_BYTES, validateSpec } from '@slipway/oci';
import { detectHost, plan } from '@slipway/runtime';
import { parseFlags } from '../flags.ts';
import type { Command } from './command.ts';

const FLAGS = { bundle: { kind: 'value', short: 'b' }, json: { kind: 'switch' } } as const;

export const checkSpec: Command = async (args, out) => {
  await readSpec(parseFlags(args, FLAGS).value('bundle') ?? '.');
  out('config.json is valid\n');
  return 0;
};

export const planBundle: Command = async (args, out) => {
  const flags = parseFlags(args, FLAGS);
  const bundle = absolute(flags.value('bundle') ?? '.');
  const spec = await readSpec(bundle);
  const host = detectHost(detectCgroups());
  const { operations, warnings } = plan(spec, {
    ...host,
    id: 'plan',
    bundle,
    rootfs: absolute(spec.root?.path ?? 'rootfs', bundle),
    procsFiles: host.cgroups.hierarchies.map(({ directory }) => `/sys/fs/cgroup/${directory}/plan/cgroup.procs`),
    cgroupDirs: Object.fromEntries(host.cgroups.hierarchies.map(({ name, directory }) => [name, `/sys/fs/cgroup/${directory}/plan`])),
  });
  if (flags.has('json')) out(`${JSON.stringify(operations, showBigAndBytes, 2)}\n`);
  else out(operations.map(line).join(''));
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return 0;
};

async function readSpec(bundle: string): Promise<RuntimeSpec> {
  return validateSpec(parseSpecJson(await readText(`${absolute(bundle)}/config.json`, { maxBytes: SPEC_MAX_BYTES })));
}

function absolute(path: string, base = process.cwd()): string {
  return path.startsWith('/') ? path : `${base}/${path}`;
}

/** `mounts    mount          /proc proc                       because of /mounts/0: …` */
function line(operation: Operation): string {
  const { op, phase, pointer, reason, ...rest } = operation;
  const args = Object.values(rest)
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .join(' ');
  return `${phase.padEnd(9)} ${op.padEnd(18)} ${args.slice(0, 60).padEnd(60)} ${pointer || '(runtime)'}: ${reason}\n`;
}

function showBigAndBytes(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? `${value.length} bytes` : value;
}

/**
 * `update`: other limits for a container, from flags or a document.
 *
 * Knows: runc's flags, units and that a 0 changes nothing.
 * Does not know: which limits exist on this host (packages/cgroups).
 */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { SpecResources } from '@slipway/oci';
import type { ParsedFlags } from '../flags.ts';
import { parseSize } from '../units.ts';
import { type Command, openRuntime, requireWords, UsageMistake } from './context.ts';

export const update: Command = async (context) => {
  const [id] = requireWords(context, 'update', 1);
  const { flags } = context;
  for (const name of ['l3-cache-schema', 'mem-bw-schema'])
    if ((flags.value(name) ?? '') !== '') throw new UsageMistake(`--${name}: Intel RDT is not supported by this runtime`);
  const file = flags.value('resources') ?? '';
  const asked = file === '' ? fromFlags(flags) : await fromDocument(file);
  await openRuntime(context).update(id, withoutZeros(asked));
  return 0;
};

/** `-` is standard input. The runtime checks what the document holds. */
async function fromDocument(file: string): Promise<SpecResources> {
  const text = file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  const document: unknown = JSON.parse(text);
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as SpecResources;
  throw new UsageMistake('the resources must be a JSON object');
}

function fromFlags(flags: ParsedFlags): SpecResources {
  const count = (name: string) => parseCount(flags.value(name), name);
  const size = (name: string) => parseBytes(flags.value(name), name);
  return {
    memory: { limit: size('memory'), swap: size('memory-swap'), reservation: size('memory-reservation') },
    cpu: {
      shares: count('cpu-share'),
      quota: count('cpu-quota'),
      period: count('cpu-period'),
      realtimeRuntime: count('cpu-rt-runtime'),
      realtimePeriod: count('cpu-rt-period'),
      cpus: flags.value('cpuset-cpus'),
      mems: flags.value('cpuset-mems'),
    },
    pids: { limit: count('pids-limit') },
    blockIO: { weight: count('blkio-weight') },
  } as SpecResources;
}

function parseCount(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^-?[0-9]{1,19}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new UsageMistake(`invalid value for ${name}: "${text}" is not a whole number`);
}

function parseBytes(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  const bytes = text === '-1' ? -1 : parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new UsageMistake(`invalid value for ${name}: invalid size: '${text}'`);
}

/** 0, '' and null stand for "as it is"; controllers of which nothing is left were not mentioned. */
function withoutZeros(asked: SpecResources): SpecResources {
  const isNothing = (value: unknown) => value === undefined || value === null || value === 0 || value === '';
  const kept = Object.entries(asked).flatMap(([controller, fields]) => {
    if (isNothing(fields) || typeof fields !== 'object' || Array.isArray(fields)) return isNothing(fields) ? [] : [[controller, fields]];
    const given = Object.entries(fields as object).filter(([, value]) => !isNothing(value));
    return given.length === 0 ? [] : [[controller, Object.fromEntries(given)]];
  });
  return Object.fromEntries(kept);
}

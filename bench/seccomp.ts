/**
 * The filter of one document, as our runtime, Debian's runc and crun hand it to the kernel: its size, how long the kernel takes to load
 * it, and an allowed system call under it.
 *
 * Each is read back from a process that stands under it. The least that can be loaded, one instruction that allows everything, shows what
 * loading costs whatever the filter says.
 *
 * Knows: how they are measured in turn. Does not know: how a filter is made (packages/runtime/src/seccomp, libseccomp).
 */
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { compile } from './floor.ts';
import type { BenchOptions } from './run.ts';
import { hideUnifiedHierarchy, OURS, prepareRuntimes } from './runtimes.ts';
import { formatTable, quantile } from './table.ts';
import { CHECKOUT, Workplace } from './workplace.ts';

const PROGRAM = `${CHECKOUT}/build/filter`;
const LEAST = 'one instruction: everything allowed';
/** BPF_RET of SECCOMP_RET_ALLOW. */
const ALLOW_ALL = Uint8Array.of(6, 0, 0, 0, 0, 0, 0xff, 0x7f);
const INSTRUCTION_BYTES = 8;

interface Filter {
  readonly file: string;
  readonly loadUs: number[];
  readonly callBeforeNs: number[];
  readonly callNs: number[];
}

export async function benchSeccomp({ rounds }: BenchOptions): Promise<void> {
  hideUnifiedHierarchy();
  compile(`${CHECKOUT}/bench/native/filter.c`, PROGRAM);
  const place = new Workplace();
  try {
    const filters = await collect(place);
    for (let round = 0; round < rounds; round++) for (const filter of filters.values()) measure(filter);
    process.stdout.write(report(filters));
  } finally {
    place.dispose();
  }
}

async function collect(place: Workplace): Promise<ReadonlyMap<string, Filter>> {
  const codes = new Map<string, Uint8Array>([[LEAST, ALLOW_ALL]]);
  for (const [name, runtime] of await prepareRuntimes(place)) {
    codes.set(name, await runtime.hold((pid) => execFileSync(PROGRAM, ['get', String(pid)])));
  }
  const filters = new Map<string, Filter>();
  for (const [name, code] of codes) {
    const file = place.path(`filter-${filters.size}`);
    writeFileSync(file, code);
    filters.set(name, { file, loadUs: [], callBeforeNs: [], callNs: [] });
  }
  return filters;
}

function measure({ file, loadUs, callBeforeNs, callNs }: Filter): void {
  const [load = Number.NaN, before = Number.NaN, under = Number.NaN] = execFileSync(PROGRAM, ['load', file], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  loadUs.push(load / 1000);
  callBeforeNs.push(before);
  callNs.push(under);
}

const median = (values: readonly number[]) => quantile(values, 0.5);

function report(filters: ReadonlyMap<string, Filter>): string {
  const ours = median(filters.get(OURS)?.loadUs ?? []);
  const rows = [...filters].map(([name, { file, loadUs, callBeforeNs, callNs }]) => [
    name,
    String(statSync(file).size / INSTRUCTION_BYTES),
    `${median(loadUs).toFixed(1)} µs`,
    (median(loadUs) / ours).toFixed(1),
    `${median(callBeforeNs).toFixed(0)} ns`,
    `${median(callNs).toFixed(0)} ns`,
  ]);
  return formatTable(['median', 'instructions', 'load', '× ours', 'getppid before', 'under it'], rows);
}

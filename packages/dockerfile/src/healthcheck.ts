/**
 * `HEALTHCHECK`: its two forms and its flags.
 *
 * Knows: Go's durations.
 * Does not know: who runs the check.
 */
import type { Healthcheck } from '@slipway/oci';
import { readJsonList, requireFlags } from './arguments.ts';
import { dockerfileError } from './failure.ts';
import type { Instruction } from './parse.ts';

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** @throws EngineError `invalid-argument` / `E_DOCKERFILE` */
export function readHealthcheck(instruction: Instruction, shell: readonly string[]): Healthcheck {
  const flags = requireFlags(instruction, ['interval', 'timeout', 'start-period', 'start-interval', 'retries']);
  const [, word = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(instruction.text) ?? [];
  const { line } = instruction;
  if (word.toUpperCase() === 'NONE') return { test: ['NONE'] };
  if (word.toUpperCase() !== 'CMD') throw dockerfileError(line, `Unknown type "${word.slice(0, 40)}" in HEALTHCHECK (try CMD)`);
  if (rest === '') throw dockerfileError(line, 'Missing command after HEALTHCHECK CMD');
  const list = readJsonList(rest);
  const duration = (flag: string, field: string) => {
    const text = flags.get(flag);
    return text === undefined ? {} : { [field]: parseDuration(text, line) };
  };
  const retries = flags.get('retries');
  if (retries !== undefined && !/^[0-9]{1,6}$/.test(retries))
    throw dockerfileError(line, `--retries must be a number, not ${retries.slice(0, 20)}`);
  return {
    test: list === undefined ? [shell.length > 0 ? 'CMD-SHELL' : 'CMD', rest] : ['CMD', ...list],
    ...duration('interval', 'interval'),
    ...duration('timeout', 'timeout'),
    ...duration('start-period', 'startPeriod'),
    ...duration('start-interval', 'startInterval'),
    ...(retries === undefined ? {} : { retries: Number(retries) }),
  };
}

/** `1m30s` in nanoseconds. */
function parseDuration(text: string, line: number): number {
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
    throw dockerfileError(line, `invalid duration ${JSON.stringify(text.slice(0, 40))}`);
  }
  return Math.round(parts.reduce((sum, [, number = '0', unit = 's']) => sum + Number(number) * (UNIT_NS[unit] ?? 0), 0));
}

/**
 * `RUN --mount`: what is mounted for one step only.
 *
 * Knows: the types and their options.
 * Does not know: how directories are made (run-step.ts).
 */
import { stepError } from './failure.ts';

export type RunMount =
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly readOnly: boolean;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  /** A path of the context, or of a stage or image. */
  | { readonly type: 'bind'; readonly target: string; readonly source: string; readonly from?: string; readonly readOnly: boolean };

const KNOWN = new Set(
  'type target dst destination source src from id readonly ro rw readwrite sharing uid gid mode size required env'.split(' '),
);

/** @param text `type=cache,target=/x,…`, variables replaced @throws EngineError `invalid-argument` / `E_BUILD_STEP`; undefined for a secret that may be missing */
export function parseRunMount(text: string, workingDir: string, line: number): RunMount | undefined {
  const options = new Map(
    text.split(',').map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? ([part.trim(), 'true'] as const) : ([part.slice(0, at).trim(), part.slice(at + 1)] as const);
    }),
  );
  const unknown = [...options.keys()].find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw stepError(line, `unexpected key '${unknown.slice(0, 40)}' in --mount`);
  const type = options.get('type') ?? 'bind';
  const named = options.get('target') ?? options.get('dst') ?? options.get('destination');
  if (type === 'secret') return readSecret(options, line);
  if (named === undefined || named === '') throw stepError(line, `--mount of type ${type} needs a target`);
  const target = named.startsWith('/') ? named : `${workingDir}/${named}`;
  const flag = (...names: string[]) => names.some((name) => options.has(name) && options.get(name) !== 'false');
  const source = options.get('source') ?? options.get('src') ?? '';
  const from = options.get('from');
  if (type === 'tmpfs') return { type, target, ...sizeOf(options.get('size'), line) };
  if (type === 'bind') return { type, target, source, ...(from === undefined ? {} : { from }), readOnly: !flag('rw', 'readwrite') };
  if (type !== 'cache')
    throw stepError(
      line,
      `--mount of type ${JSON.stringify(type.slice(0, 40))} is not available`,
      'there are bind, cache, tmpfs and secret',
    );
  if (from !== undefined) throw stepError(line, 'a cache mount that begins as a copy (from=) is not available');
  const number = (name: string, radix: number, fallback: number) => {
    const value = options.get(name);
    const parsed = value === undefined ? fallback : Number.parseInt(value, radix);
    if (!(parsed >= 0 && parsed < 0xffff_ffff)) throw stepError(line, `${name}=${value?.slice(0, 20)} is not a number`);
    return parsed;
  };
  return {
    type,
    target,
    id: options.get('id') ?? target,
    readOnly: flag('readonly', 'ro'),
    uid: number('uid', 10, 0),
    gid: number('gid', 10, 0),
    mode: number('mode', 8, 0o755),
  };
}

/** Nothing here can bring a secret along yet, so one that is needed is refused. */
function readSecret(options: ReadonlyMap<string, string>, line: number): undefined {
  if (options.get('required') !== 'true') return undefined;
  throw stepError(line, `secret ${(options.get('id') ?? '').slice(0, 80)}: not found`, 'builds over this API cannot be given secrets');
}

function sizeOf(text: string | undefined, line: number): { readonly sizeBytes?: number } {
  if (text === undefined) return {};
  const [, digits = '', unit = ''] = /^([0-9]{1,12})([bkmg]?)$/i.exec(text) ?? [];
  if (digits === '') throw stepError(line, `size=${text.slice(0, 20)} is not a size`);
  return { sizeBytes: Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase().replace('b', '')) };
}

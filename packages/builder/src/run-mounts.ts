/**
 * `RUN --mount`: what is mounted for one step only.
 *
 * Knows: the types and their options.
 * Does not know: how directories are made (run-binds.ts).
 */
import { stepError } from './failure.ts';

/** A path of the context, or of a stage or image. */
export interface FilesOf {
  readonly source: string;
  readonly from?: string;
}

export type RunMount =
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      /** What a new one begins as a copy of; absent: empty. */
      readonly base?: Required<FilesOf>;
      readonly readOnly: boolean;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  | {
      readonly type: 'secret';
      readonly target: string;
      readonly id: string;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  | (FilesOf & { readonly type: 'bind'; readonly target: string; readonly readOnly: boolean });

const KNOWN = new Set(
  'type target dst destination source src from id readonly ro rw readwrite sharing uid gid mode size required env'.split(' '),
);

export interface MountPlace {
  /** What relative targets are seen from. */
  readonly workingDir: string;
  readonly line: number;
  /** Ids of the secrets that there are. */
  readonly secrets: { has(id: string): boolean };
}

/** @param text `type=cache,target=/x,…`, variables replaced @throws EngineError `invalid-argument` / `E_BUILD_STEP`; undefined for a secret that may be missing, and is */
export function parseRunMount(text: string, { workingDir, line, secrets }: MountPlace): RunMount | undefined {
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
  const absolute = (path: string) => (path.startsWith('/') ? path : `${workingDir}/${path}`);
  if (type === 'secret') return readSecret(options, { named: named === undefined ? undefined : absolute(named), line, secrets });
  if (named === undefined || named === '') throw stepError(line, `--mount of type ${type} needs a target`);
  const target = absolute(named);
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
  return {
    type,
    target,
    id: options.get('id') ?? target,
    sharing: sharingOf(options, line),
    readOnly: flag('readonly', 'ro'),
    ...(from === undefined ? {} : { base: { from, source } }),
    ...rightsOf(options, 0o755, line),
  };
}

/** Files that a mount shows, or begins with. */
export function filesOfMount(mount: RunMount): FilesOf[] {
  if (mount.type === 'bind') return [mount];
  return mount.type === 'cache' && mount.base !== undefined ? [mount.base] : [];
}

/** A file that is there while the step runs; it is `/run/secrets/ID` unless it says otherwise. */
function readSecret(
  options: ReadonlyMap<string, string>,
  { named, line, secrets }: { readonly named: string | undefined } & Pick<MountPlace, 'line' | 'secrets'>,
): RunMount | undefined {
  if (options.has('env')) throw stepError(line, 'a secret in an environment variable (env=) is not available', 'mount it as a file');
  const id = options.get('id') ?? named?.slice(named.lastIndexOf('/') + 1) ?? '';
  if (id === '') throw stepError(line, '--mount of type secret needs an id or a target');
  if (secrets.has(id)) return { type: 'secret', id, target: named ?? `/run/secrets/${id}`, ...rightsOf(options, 0o400, line) };
  if (!options.has('required') || options.get('required') === 'false') return undefined;
  throw stepError(
    line,
    `secret ${id.slice(0, 80)}: not found`,
    `give it to the build: slipway build --secret id=${id.slice(0, 80)},src=FILE`,
  );
}

function sharingOf(options: ReadonlyMap<string, string>, line: number) {
  const sharing = options.get('sharing') ?? 'shared';
  if (sharing === 'shared' || sharing === 'private' || sharing === 'locked') return sharing;
  throw stepError(line, `unsupported sharing value ${JSON.stringify(sharing.slice(0, 40))}`, 'there are shared, private and locked');
}

/** `uid=`, `gid=` and `mode=`. */
function rightsOf(options: ReadonlyMap<string, string>, fallbackMode: number, line: number) {
  const number = (name: string, radix: number, fallback: number) => {
    const value = options.get(name);
    const parsed = value === undefined ? fallback : Number.parseInt(value, radix);
    if (!(parsed >= 0 && parsed < 0xffff_ffff)) throw stepError(line, `${name}=${value?.slice(0, 20)} is not a number`);
    return parsed;
  };
  return { uid: number('uid', 10, 0), gid: number('gid', 10, 0), mode: number('mode', 8, fallbackMode) };
}

function sizeOf(text: string | undefined, line: number): { readonly sizeBytes?: number } {
  if (text === undefined) return {};
  const [, digits = '', unit = ''] = /^([0-9]{1,12})([bkmg]?)$/i.exec(text) ?? [];
  if (digits === '') throw stepError(line, `size=${text.slice(0, 20)} is not a size`);
  return { sizeBytes: Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase().replace('b', '')) };
}

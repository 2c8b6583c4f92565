/**
 * What `buildah config`'s flags make of an image config.
 *
 * Knows: that `-` empties a list and `NAME-` takes one out of it, that an empty value takes a field away, and which values are lines
 * for a shell.
 * Does not know: where the config is kept. Pure.
 */
import { type ParsedFlags, UsageError } from '../flags.ts';
import { shellWords } from './shell-words.ts';
import { type ConfigDocument, type ConfigSection, pendingStep } from './working-container.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ChangedConfig {
  readonly document: ConfigDocument;
  readonly warnings: readonly string[];
}

/** @throws UsageError */
export function changeConfig(before: ConfigDocument, flags: ParsedFlags, environment: Environment): ChangedConfig {
  const document = structuredClone(before);
  const { config } = document;
  const warnings = changeCommand(config, flags);
  for (const [flag, key] of TEXTS) setOrDrop(config, key, flags.value(flag));
  setOrDrop(config, 'Env', changeEnvironment(config.Env ?? [], flags.list('env'), environment));
  setOrDrop(config, 'Labels', changeLabels(config.Labels ?? {}, flags));
  setOrDrop(config, 'ExposedPorts', changeSet(config.ExposedPorts ?? {}, flags.list('port')));
  setOrDrop(config, 'Volumes', changeSet(config.Volumes ?? {}, flags.list('volume')));
  setOrDrop(config, 'OnBuild', changeList(config.OnBuild ?? [], flags.list('onbuild')));
  setOrDrop(config, 'Shell', flags.value('shell') === undefined ? undefined : shellWords(flags.value('shell') ?? ''));
  changeHealthcheck(config, flags);
  for (const [flag, key] of ABOUT) {
    const value = flags.value(flag);
    if (value !== undefined) document[key] = value;
  }
  changePending(document, flags);
  return { document, warnings };
}

const TEXTS = [
  ['user', 'User'],
  ['workingdir', 'WorkingDir'],
  ['stop-signal', 'StopSignal'],
] as const;

const ABOUT = [
  ['arch', 'architecture'],
  ['author', 'author'],
  ['os', 'os'],
  ['variant', 'variant'],
] as const;

/** Undefined: as it is; empty: gone. */
function setOrDrop<K extends keyof ConfigSection>(config: ConfigSection, key: K, value: unknown): void {
  if (value === undefined) return;
  if (isEmpty(value)) delete config[key];
  else config[key] = value as ConfigSection[K];
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

/** A new entrypoint leaves the command, which then is its argument: that is told, as it is seldom meant. */
function changeCommand(config: ConfigSection, flags: ParsedFlags): string[] {
  const [entrypoint, cmd] = [flags.value('entrypoint'), flags.value('cmd')];
  setOrDrop(
    config,
    'Entrypoint',
    entrypoint === undefined ? undefined : (jsonWords(entrypoint) ?? (entrypoint === '' ? [] : ['/bin/sh', '-c', entrypoint])),
  );
  const left = config.Cmd ?? [];
  setOrDrop(config, 'Cmd', cmd === undefined ? undefined : (jsonWords(cmd) ?? shellWords(cmd)));
  const passed = entrypoint !== undefined && entrypoint !== '' && cmd === undefined && left.length > 0;
  return passed ? [`cmd ${JSON.stringify(left.join(' '))} exists and will be passed to entrypoint as a parameter`] : [];
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Values may name variables of the image, `$A` or `${A}`. */
function changeEnvironment(before: readonly string[], entries: readonly string[], own: Environment): string[] | undefined {
  if (entries.length === 0) return undefined;
  const values = new Map(before.map((entry) => splitAt(entry, '=')));
  for (const entry of entries) {
    const [name, value] = splitAt(entry, '=');
    if (entry.includes('=')) values.set(name, expand(value, values));
    else if (entry === '-') values.clear();
    else if (entry.endsWith('-')) values.delete(entry.slice(0, -1));
    else values.set(entry, own[entry] ?? '');
  }
  return [...values].map(([name, value]) => `${name}=${value}`);
}

function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_whole, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? '';
    const value = values.get(name);
    if (value === undefined) throw new UsageError(`expanding variable ${JSON.stringify(name)}: no value set in configuration`);
    return value;
  });
}

function changeLabels(before: Readonly<Record<string, string>>, flags: ParsedFlags): Record<string, string> | undefined {
  const [entries, unset] = [flags.list('label'), flags.list('unsetlabel')];
  if (entries.length + unset.length === 0) return undefined;
  const labels = new Map(Object.entries(before));
  for (const entry of entries) {
    if (entry === '-') labels.clear();
    else if (!entry.includes('=') && entry.endsWith('-')) labels.delete(entry.slice(0, -1));
    else labels.set(...splitAt(entry, '='));
  }
  for (const name of unset) labels.delete(name);
  return Object.fromEntries(labels);
}

function changeSet(before: Readonly<Record<string, object>>, entries: readonly string[]): Record<string, object> | undefined {
  const names = changeList(Object.keys(before), entries);
  return names === undefined ? undefined : Object.fromEntries(names.map((name) => [name, {}]));
}

function changeList(before: readonly string[], entries: readonly string[]): string[] | undefined {
  if (entries.length === 0) return undefined;
  const names = new Set(before);
  for (const entry of entries) {
    if (entry === '-') names.clear();
    else if (entry.endsWith('-')) names.delete(entry.slice(0, -1));
    else names.add(entry);
  }
  return [...names];
}

function changeHealthcheck(config: ConfigSection, flags: ParsedFlags): void {
  const text = flags.value('healthcheck');
  if (text === '') delete config.Healthcheck;
  else if (text !== undefined) config.Healthcheck = { ...config.Healthcheck, Test: readTest(text) };
  const times = { Interval: 'healthcheck-interval', Timeout: 'healthcheck-timeout', StartPeriod: 'healthcheck-start-period' } as const;
  const given = Object.entries(times).flatMap(([key, flag]) =>
    flags.value(flag) === undefined ? [] : [[key, nanoseconds(flags.value(flag) ?? '', flag)] as const],
  );
  const retries = flags.value('healthcheck-retries');
  if (given.length === 0 && retries === undefined) return;
  if (config.Healthcheck === undefined) throw new UsageError('there is no health check whose times could be set: use --healthcheck');
  Object.assign(config.Healthcheck, Object.fromEntries(given), retries === undefined ? {} : { Retries: Number(retries) });
}

/** `NONE`, `CMD program argument`, `CMD-SHELL line`; anything else is a line for a shell. */
function readTest(text: string): string[] {
  const [, kind = 'CMD-SHELL', rest = ''] = /^(NONE|CMD-SHELL|CMD)(?:\s+(.*))?$/s.exec(text) ?? [undefined, 'CMD-SHELL', text];
  if (kind === 'NONE') return ['NONE'];
  return kind === 'CMD' ? ['CMD', ...shellWords(rest)] : ['CMD-SHELL', rest];
}

const UNITS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function nanoseconds(text: string, flag: string): number {
  const [, digits = '', unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  if (digits === '') throw new UsageError(`--${flag} ${text}: write for example 30s`);
  return Number(digits) * (UNITS[unit] ?? 0);
}

/** What commit says of its step: it waits as a last step without a date. */
function changePending(document: ConfigDocument, flags: ParsedFlags): void {
  const [createdBy, comment] = [flags.value('created-by'), flags.value('history-comment')];
  if (createdBy === undefined && comment === undefined) return;
  const before = pendingStep(document);
  const history = before === undefined ? document.history : document.history.slice(0, -1);
  const said = { ...(createdBy === undefined ? {} : { created_by: createdBy }), ...(comment === undefined ? {} : { comment }) };
  document.history = [...history, { ...before, ...said, created: '', empty_layer: true }];
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * The daemon's settings: file, then environment, then flags, each over the one before.
 *
 * Knows: names, defaults and types of every setting; this is the only place that reads the environment.
 * Does not know: what a setting is used for.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { EngineError } from '@slipway/errors';
import { parseListenAddress } from '@slipway/registry/listen-address';
import { type Mirror, parseMirror } from '@slipway/registry-client/mirror';
import { type ProxyRules, readProxyRules } from '@slipway/registry-client/proxy';

const loadModule = createRequire(import.meta.url);

export interface DaemonConfig {
  /** What must last. */
  readonly root: string;
  /** What may go at reboot. */
  readonly state: string;
  /** Absent: no Docker API is served. */
  readonly dockerSocket?: string;
  /** `HOST:PORT`; absent: no registry is served. */
  readonly registryListen?: string;
  /** An OCI layout whose images that registry has from the beginning. */
  readonly registryImages?: string;
  /** Images that are here without taking room: unpacked once, for many engines. Absent: none. */
  readonly sharedImages?: string;
  /** cgroup below the daemon's own that containers go into. */
  readonly cgroupParent: string;
  /** Of the next container: a process in its cgroups, or its namespaces and file systems, too. */
  readonly keepReady: 'process' | 'namespaces';
  /** Beside our own: name → program. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** Of containers that ask for none; absent: our own. */
  readonly defaultRuntime?: string;
  readonly snapshotter: 'overlay' | 'native';
  /** Asked before the registries they stand for. */
  readonly registryMirrors: readonly Mirror[];
  /** `host[:port]` that may be asked by plain http, and whose certificates are not checked. */
  readonly insecureRegistries: readonly string[];
  /** By HTTP_PROXY, HTTPS_PROXY and NO_PROXY; absent: none. */
  readonly proxies?: ProxyRules;
  /** `host[:port]` that a Dockerfile's `ADD` may fetch from although their addresses are not public. */
  readonly addHosts: readonly string[];
  /** Whether pulls that do not say so let containers start before the layers have come. */
  readonly lazyPulls: boolean;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
  /** Where labd takes the journal; absent: nowhere. */
  readonly labSocket?: string;
  /** Appended to as NDJSON; absent: not kept. */
  readonly journalFile?: string;
}

interface Setting {
  readonly help: string;
  readonly value: string;
  readonly fallback?: string;
  readonly choices?: readonly string[];
}

/** Flag, TOML key and (upper case, `-` as `_`, after SLIPWAY_) variable of every setting. */
const SETTINGS = {
  root: { value: 'DIR', fallback: '/var/lib/slipway', help: 'images, containers, logs: what must last' },
  state: { value: 'DIR', fallback: '/run/slipway', help: 'sockets and process state: what may go at reboot' },
  'docker-socket': { value: 'PATH', help: 'serve the Docker Engine API on this unix socket' },
  'registry-listen': { value: 'HOST:PORT', help: 'serve a registry of images here; whoever reaches it may push and pull' },
  'registry-images': { value: 'DIR', help: 'an OCI layout; its images are in the registry, too, and stay as they are' },
  'shared-images': { value: 'DIR', help: 'unpacked images that are read where they stand; pulls of them fetch nothing' },
  'cgroup-parent': { value: 'NAME', fallback: 'slipway', help: 'cgroup below our own that containers go into' },
  'cgroup-driver': { value: 'NAME', fallback: 'cgroupfs', choices: ['cgroupfs'], help: 'who makes cgroups' },
  'keep-ready': {
    value: 'WHAT',
    fallback: 'namespaces',
    choices: ['namespaces', 'process'],
    help: 'what waits for the next container: its namespaces and file systems, too, or a process alone',
  },
  runtime: { value: 'NAME=PATH', help: 'one more OCI runtime that containers may ask for; may be given several times' },
  'default-runtime': { value: 'NAME', help: 'runtime of containers that ask for none (default slipway, our own)' },
  snapshotter: { value: 'NAME', fallback: 'overlay', choices: ['overlay', 'native'], help: 'how writable layers are made' },
  'registry-mirror': { value: 'NAME=URL', help: 'ask URL before the registry NAME (docker.io when left out); may be given several times' },
  'insecure-registry': { value: 'HOST', help: 'HOST[:PORT] may be asked by http, its certificate is not checked; several times' },
  'build-add-host': { value: 'HOST', help: 'HOST[:PORT] that ADD may fetch from although its address is not public; several times' },
  'lazy-pull': {
    value: 'WHEN',
    fallback: 'asked',
    choices: ['asked', 'always'],
    help: 'when containers may start before an image has come: where the pull asks for it, or always',
  },
  'log-level': {
    value: 'LEVEL',
    fallback: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    help: 'least severe message to log',
  },
  'log-format': { value: 'FORMAT', fallback: 'text', choices: ['text', 'json'], help: 'how messages are written to stderr' },
  'lab-socket': { value: 'PATH', help: 'send the journal to the lab daemon that listens here' },
  'journal-file': { value: 'PATH', help: 'append the journal to this file, one JSON event a line' },
} as const satisfies Readonly<Record<string, Setting>>;

/** Those that may be given several times; in a file or a variable, separated by commas. */
const REPEATED: readonly string[] = ['runtime', 'registry-mirror', 'insecure-registry', 'build-add-host'];

type SettingName = keyof typeof SETTINGS;
const NAMES = Object.keys(SETTINGS) as SettingName[];

const DEFAULT_FILE = '/etc/slipway/config.toml';

/** What the command line asks for instead of running. */
export type Request = { readonly kind: 'run'; readonly config: DaemonConfig } | { readonly kind: 'print'; readonly text: string };

/** @throws EngineError invalid-argument / E_CONFIG naming the flag, variable or key at fault */
export function readConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>, version: string): Request {
  const flags = readFlags(args);
  if (flags.help) return { kind: 'print', text: usage() };
  if (flags.version) return { kind: 'print', text: `slipwayd ${version}` };
  const file = readConfigFile(flags.config ?? env['SLIPWAY_CONFIG']);
  const pick = (name: SettingName): string | undefined => {
    const setting: Setting = SETTINGS[name];
    const value = flags.settings[name] ?? env[variableOf(name)] ?? file[name] ?? setting.fallback;
    if (value !== undefined && setting.choices?.includes(value) === false) {
      throw refuse(`invalid ${name} "${value}"`, `use one of ${setting.choices.join(', ')}`);
    }
    return value === '' ? undefined : value;
  };
  for (const name of NAMES) pick(name); // those with a single choice are checked although nobody reads them
  const proxies = readProxyRules(env);
  return { kind: 'run', config: { ...toConfig(pick), ...(proxies === undefined ? {} : { proxies }) } };
}

function toConfig(pick: (name: SettingName) => string | undefined): DaemonConfig {
  const path = (name: SettingName): string | undefined => {
    const value = pick(name);
    if (value !== undefined && !value.startsWith('/')) throw refuse(`--${name} "${value}" is not an absolute path`, 'start it with /');
    return value?.replace(/(.)\/+$/, '$1');
  };
  const registryListen = pick('registry-listen');
  if (registryListen !== undefined) requireAddress(registryListen);
  const optional = {
    dockerSocket: path('docker-socket'),
    registryListen,
    registryImages: path('registry-images'),
    sharedImages: path('shared-images'),
    labSocket: path('lab-socket'),
    journalFile: path('journal-file'),
  };
  const runtimes = readRuntimes(pick('runtime') ?? '');
  const defaultRuntime = pick('default-runtime');
  if (defaultRuntime !== undefined && defaultRuntime !== 'slipway' && !Object.hasOwn(runtimes, defaultRuntime))
    throw refuse(`invalid default-runtime "${defaultRuntime}"`, `name it with --runtime ${defaultRuntime}=PATH, too`);
  return {
    runtimes,
    ...(defaultRuntime === undefined ? {} : { defaultRuntime }),
    root: path('root') ?? '/var/lib/slipway',
    state: path('state') ?? '/run/slipway',
    cgroupParent: pick('cgroup-parent') ?? 'slipway',
    keepReady: pick('keep-ready') === 'process' ? 'process' : 'namespaces',
    snapshotter: pick('snapshotter') === 'native' ? 'native' : 'overlay',
    ...readRegistries(pick('registry-mirror') ?? '', pick('insecure-registry') ?? ''),
    addHosts: readHosts(pick('build-add-host') ?? '', 'build-add-host'),
    lazyPulls: pick('lazy-pull') === 'always',
    logLevel: pick('log-level') ?? 'info',
    logFormat: pick('log-format') === 'json' ? 'json' : 'text',
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

function requireAddress(text: string): void {
  try {
    parseListenAddress(text);
  } catch {
    throw refuse(`--registry-listen ${JSON.stringify(text)} is not HOST:PORT`, 'write e.g. 127.0.0.1:5000');
  }
}

/** `NAME=PATH`, separated by commas: a flag given several times is one such list. */
function readRuntimes(text: string): Readonly<Record<string, string>> {
  const entries = text.split(',').filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name, path] = /^([a-z0-9][a-z0-9._-]{0,62})=(\/.+)$/i.exec(entry) ?? [];
      if (name !== undefined && path !== undefined && name !== 'slipway') return [name, path];
      throw refuse(`invalid runtime "${entry}"`, 'write NAME=/absolute/path; the name "slipway" is taken');
    }),
  );
}

function readRegistries(mirrors: string, insecure: string): Pick<DaemonConfig, 'registryMirrors' | 'insecureRegistries'> {
  const insecureRegistries = readHosts(insecure, 'insecure-registry');
  const registryMirrors = mirrors.split(',').filter(Boolean);
  return { insecureRegistries, registryMirrors: registryMirrors.map((text) => parseMirror(text, insecureRegistries)) };
}

function readHosts(text: string, setting: SettingName): readonly string[] {
  const hosts = text.split(',').filter(Boolean);
  const wrong = hosts.find((host) => !/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/i.test(host));
  if (wrong !== undefined) throw refuse(`invalid ${setting} "${wrong}"`, 'write HOST or HOST:PORT');
  return hosts;
}

function readFlags(args: readonly string[]) {
  const options = Object.fromEntries(
    [...NAMES, 'config'].map((name) => [name, { type: 'string' as const, multiple: REPEATED.includes(name) }]),
  );
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    });
    const given: Readonly<Record<string, unknown>> = values;
    const text = (name: string): string | undefined => {
      const value = given[name];
      return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : undefined;
    };
    const settings: Partial<Record<SettingName, string>> = {};
    for (const name of NAMES) {
      const value = text(name);
      if (value !== undefined) settings[name] = value;
    }
    return { settings, config: text('config'), help: given['help'] === true, version: given['version'] === true };
  } catch (cause) {
    throw refuse(cause instanceof Error ? (cause.message.split('. ')[0] ?? cause.message) : String(cause), 'see slipwayd --help');
  }
}

/** A file that was named must be there; the default one need not. */
function readConfigFile(named: string | undefined): Partial<Record<SettingName, string>> {
  const path = named ?? DEFAULT_FILE;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (named === undefined) return {};
    throw refuse(
      `cannot read the configuration file "${path}": ${cause instanceof Error ? cause.message : String(cause)}`,
      'check --config',
    );
  }
  return parseConfigText(text, path);
}

/** Strings and, for convenience, numbers and booleans as text. @throws for unknown keys, naming them */
export function parseConfigText(text: string, path: string): Partial<Record<SettingName, string>> {
  let table: Record<string, unknown>;
  try {
    table = (loadModule('smol-toml') as typeof import('smol-toml')).parse(text); // most daemons have no file
  } catch (cause) {
    throw refuse(
      `"${path}" is not TOML: ${cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)}`,
      'see https://toml.io',
    );
  }
  const unknown = Object.keys(table).filter((key) => !NAMES.some((name) => name === key));
  if (unknown.length > 0) throw refuse(`"${path}" has unknown keys: ${unknown.join(', ')}`, `known are ${NAMES.join(', ')}`);
  const settings: Partial<Record<SettingName, string>> = {};
  for (const name of NAMES) {
    const value = table[name];
    if (value === undefined) continue;
    if (typeof value === 'object') throw refuse(`"${path}": ${name} must be a single value`, 'write it as a string');
    settings[name] = String(value);
  }
  return settings;
}

function variableOf(name: SettingName): string {
  return `SLIPWAY_${name.toUpperCase().replaceAll('-', '_')}`;
}

function usage(): string {
  const lines = NAMES.map((name) => {
    const setting: Setting = SETTINGS[name];
    const fallback = setting.fallback === undefined ? '' : ` (default ${setting.fallback})`;
    return `  --${`${name} ${setting.value}`.padEnd(24)} ${setting.help}${fallback}`;
  });
  return [
    'usage: slipwayd [flags]',
    '',
    'The Slipway engine: runs containers and serves them to Docker clients.',
    'Each socket is served only when it is asked for. SIGTERM stops the daemon; containers go on.',
    '',
    ...lines,
    `  --${'config FILE'.padEnd(24)} settings as TOML, the same names without dashes in front (default ${DEFAULT_FILE})`,
    `  --${'version'.padEnd(24)} print the version`,
    '',
    'Every flag can be set as a SLIPWAY_ variable too, e.g. SLIPWAY_DOCKER_SOCKET.',
  ].join('\n');
}

function refuse(message: string, hint: string): EngineError {
  return new EngineError('invalid-argument', message, { code: 'E_CONFIG', op: 'config.read', hint });
}

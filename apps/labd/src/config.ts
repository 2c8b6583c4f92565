/**
 * Everything that can be set, from where it can be set: built-in < /etc/slipway/config.toml < SLIPWAY_… < flags.
 *
 * Knows: names, defaults and what values make sense. The only file of labd that reads the environment.
 * Does not know: what the values are used for.
 */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EngineError } from '@slipway/errors';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';

const Settings = z.object({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65_535).default(4600),
  data: z.string().min(1).default('/var/lib/slipway'),
  /** `https://lab.example.org`: a TLS-terminating proxy in front of us speaks under this origin. */
  public_origin: z.url({ protocol: /^https$/ }).optional(),
  /** Origin of a page served by a development server on this machine. */
  dev_origin: z.url({ protocol: /^http$/, hostname: /^(localhost|127\.0\.0\.1)$/ }).optional(),
  locale: z
    .string()
    .regex(/^[a-z]{2}$/)
    .default('en'),
  machine_memory_mib: z.coerce.number().int().min(128).default(1024),
  machine_cpus: z.coerce.number().positive().default(1),
  machine_pids: z.coerce.number().int().min(64).default(512),
  login_code_minutes: z.coerce.number().positive().default(60),
  terminals_per_learner: z.coerce.number().int().min(1).max(64).default(12),
  log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('warn'),
});

export interface Config {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly publicOrigin: string | undefined;
  readonly devOrigin: string | undefined;
  /** What lasts: progress, journals, machines' disks. */
  readonly dataDir: string;
  /** What may go at reboot: sockets, machines' state. Short, because unix socket paths are. */
  readonly runDir: string;
  /** cgroup below the host's own that machines live in. */
  readonly cgroupParent: string;
  readonly locale: string;
  readonly limits: { readonly memoryBytes: number; readonly cpus: number; readonly pids: number };
  readonly loginCodeMs: number;
  readonly terminalsPerLearner: number;
  readonly logLevel: z.output<typeof Settings>['log_level'];
}

export interface ConfigSources {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of the configuration file; absent: none. */
  readonly file: string | undefined;
}

const FLAGS = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  // No browser is ever opened: a browser run by root would be worse than a click. The flag is accepted for scripts.
  'no-open': { type: 'boolean' },
  'dev-origin': { type: 'string' },
  'log-level': { type: 'string' },
} as const;
const ENV_PREFIX = 'SLIPWAY_';
const MIB = 1024 * 1024;

/** @throws EngineError `invalid-argument` / `E_CONFIG` naming the setting, `E_BIND_ADDRESS` for an address that is not ours alone */
export function readConfig(sources: ConfigSources): Config {
  const parsed = Settings.safeParse({ ...fromFile(sources.file), ...fromEnv(sources.env), ...fromFlags(sources.args) });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`setting "${issue?.path.join('.')}": ${issue?.message}`);
  }
  const settings = parsed.data;
  requireLoopback(settings.host);
  const dataDir = resolve(settings.data);
  const name = instanceName(dataDir);
  return {
    host: settings.host,
    port: settings.port,
    publicOrigin: settings.public_origin === undefined ? undefined : new URL(settings.public_origin).origin,
    devOrigin: settings.dev_origin === undefined ? undefined : new URL(settings.dev_origin).origin,
    dataDir,
    runDir: `/run/slipway/${name}`,
    cgroupParent: `slipway/${name}`,
    locale: settings.locale,
    limits: { memoryBytes: settings.machine_memory_mib * MIB, cpus: settings.machine_cpus, pids: settings.machine_pids },
    loginCodeMs: settings.login_code_minutes * 60_000,
    terminalsPerLearner: settings.terminals_per_learner,
    logLevel: settings.log_level,
  };
}

/** The configuration as this process was started. */
export function configSources(file: string | undefined): ConfigSources {
  return { args: process.argv.slice(2), env: process.env, file };
}

/** Labs with different data directories live side by side: each has names of its own for what the host shares. */
function instanceName(dataDir: string): string {
  return dataDir === '/var/lib/slipway' ? 'lab' : `lab-${createHash('sha256').update(dataDir).digest('hex').slice(0, 8)}`;
}

/** A machine behind labd is root on no host, but its owner's browser session is all that guards it: no open network. */
function requireLoopback(host: string): void {
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return;
  throw new EngineError('invalid-argument', `refusing to listen on "${host}", which others can reach`, {
    code: 'E_BIND_ADDRESS',
    op: 'config.read',
    subject: host,
    hint: 'keep the default host and put a proxy with TLS in front; tell its address with SLIPWAY_PUBLIC_ORIGIN=https://…',
  });
}

function fromFile(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const document = parseToml(text);
    const lab = document['lab'] ?? {};
    return z.record(z.string(), z.unknown()).parse(lab);
  } catch (cause) {
    throw invalid(`/etc/slipway/config.toml: ${cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)}`);
  }
}

function fromEnv(env: ConfigSources['env']): Record<string, string> {
  const found = Object.keys(Settings.shape).flatMap((name) => {
    const value = env[`${ENV_PREFIX}${name.toUpperCase()}`];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

function fromFlags(args: readonly string[]): Record<string, unknown> {
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, strict: true });
    const { 'no-open': _, ...rest } = values;
    return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name.replaceAll('-', '_'), value]));
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

function invalid(message: string): EngineError {
  return new EngineError('invalid-argument', message, {
    code: 'E_CONFIG',
    op: 'config.read',
    hint: 'known flags: --port N --host ADDRESS --data DIR --no-open --log-level LEVEL',
  });
}

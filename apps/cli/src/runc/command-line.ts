/**
 * The command line of runc: its flags, and those of the commands that make a process.
 *
 * Knows: names and kinds of flags.
 * Does not know: what they do.
 */
import type { FlagTable } from '../flags.ts';

export const SWITCH = { kind: 'switch' } as const;
export const VALUE = { kind: 'value' } as const;
const LIST = { kind: 'list' } as const;

export const CREATE: FlagTable = {
  bundle: { ...VALUE, short: 'b' },
  'console-socket': VALUE,
  'pid-file': VALUE,
  'no-pivot': SWITCH,
  'no-new-keyring': SWITCH,
  'preserve-fds': VALUE,
};

export const EXEC: FlagTable = {
  'console-socket': VALUE,
  cwd: VALUE,
  env: { ...LIST, short: 'e' },
  tty: { ...SWITCH, short: 't' },
  user: { ...VALUE, short: 'u' },
  'additional-gids': { ...LIST, short: 'g' },
  process: { ...VALUE, short: 'p' },
  detach: { ...SWITCH, short: 'd' },
  'pid-file': VALUE,
  'process-label': VALUE,
  apparmor: VALUE,
  'no-new-privs': SWITCH,
  'ignore-paused': SWITCH,
  cgroup: LIST,
  cap: { ...LIST, short: 'c' },
  'preserve-fds': VALUE,
};

export const RUN: FlagTable = { ...CREATE, detach: { ...SWITCH, short: 'd' }, keep: SWITCH, 'no-subreaper': SWITCH };

/** Flags before the command. `criu` and `rootless` are runc's; callers pass them. */
export const GLOBAL: FlagTable = {
  debug: SWITCH,
  log: VALUE,
  'log-format': VALUE,
  root: VALUE,
  criu: VALUE,
  rootless: VALUE,
  'systemd-cgroup': SWITCH,
  help: { ...SWITCH, short: 'h' },
  version: { ...SWITCH, short: 'v' },
};

export const DEFAULT_ROOT = '/run/slipway/runc';

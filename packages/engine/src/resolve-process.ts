/**
 * Image config + request → the process a container will run.
 *
 * Knows: Docker's merging rules for entrypoint, command, environment, directory, labels.
 * Does not know: who the user is in numbers (resolve-user.ts).
 */
import { EngineError } from '@slipway/errors';
import { DOCKER_DEFAULTS, type ExecutionDefaults, parseSignal } from '@slipway/oci';
import type { ContainerRequest, ResolvedProcess } from './container.ts';

const SIGTERM = 15;

/**
 * Merges image and request.
 *
 * @throws EngineError invalid-argument for no command, a bad working directory, environment or signal
 */
export function resolveProcess(request: ContainerRequest, image: ExecutionDefaults, id: string): ResolvedProcess {
  const hostname = request.hostname === undefined || request.hostname === '' ? id.slice(0, 12) : request.hostname;
  requireHostname(hostname);
  return {
    args: resolveArgs(request, image),
    env: resolveEnv(request, image, hostname),
    cwd: resolveDirectory(request.workingDir ?? image.workingDir ?? ''),
    user: request.user ?? image.user ?? '',
    hostname,
    stopSignal: resolveSignal(request.stopSignal, image.stopSignal),
    labels: { ...image.labels, ...request.labels },
  };
}

/** A new entrypoint discards the image's command, as it was written for the old one. */
function resolveArgs(request: ContainerRequest, image: ExecutionDefaults): readonly string[] {
  const own = request.entrypoint !== undefined;
  const entrypoint = (own ? request.entrypoint : image.entrypoint) ?? [];
  const asked = request.command !== undefined && request.command.length > 0 ? request.command : undefined;
  const command = asked ?? (own ? [] : (image.cmd ?? []));
  // `--entrypoint ""` arrives as [''] and means "none".
  const args = [...(entrypoint.length === 1 && entrypoint[0] === '' ? [] : entrypoint), ...command];
  if (args.length === 0) throw invalid('no command specified', 'give a command, or use an image that has one');
  for (const arg of args) requireNoNul(arg, 'argument');
  return args;
}

function resolveEnv(request: ContainerRequest, image: ExecutionDefaults, hostname: string): readonly string[] {
  const merged = new Map<string, string>();
  const put = (entry: string) => merged.set(entry.slice(0, indexOfEquals(entry)), entry);
  put(DOCKER_DEFAULTS.path);
  put(`HOSTNAME=${hostname}`);
  if (request.tty) put('TERM=xterm');
  for (const entry of image.env) put(entry);
  for (const entry of request.env) {
    requireNoNul(entry, 'environment variable');
    // A bare name takes a variable away, as the docker client sends it for one that is unset.
    if (entry.includes('=')) put(entry);
    else merged.delete(entry);
  }
  if (merged.has('')) throw invalid('invalid environment variable: name is empty');
  return [...merged.values()];
}

function indexOfEquals(entry: string): number {
  const at = entry.indexOf('=');
  return at === -1 ? entry.length : at;
}

function resolveDirectory(directory: string): string {
  if (directory === '') return '/';
  requireNoNul(directory, 'working directory');
  if (directory.startsWith('/')) return directory;
  throw invalid(`the working directory '${directory}' is invalid, it needs to be an absolute path`);
}

/** An image's junk signal is ignored (it is untrusted and asked nothing of the user); a request's is refused. */
function resolveSignal(asked: string | undefined, fromImage: string | undefined): number {
  if (asked === undefined || asked === '') return parseSignal(fromImage ?? '') ?? SIGTERM;
  const signal = parseSignal(asked);
  if (signal === undefined) throw invalid(`invalid signal: '${asked}'`);
  return signal;
}

function requireHostname(hostname: string): void {
  if (/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?$/.test(hostname)) return;
  throw invalid(`invalid hostname: '${hostname}'`, 'use up to 64 letters, digits, dots and hyphens');
}

function requireNoNul(text: string, what: string): void {
  if (text.includes('\0')) throw invalid(`${what} contains a NUL byte`);
}

function invalid(message: string, hint?: string): EngineError {
  return new EngineError('invalid-argument', message, {
    code: 'E_CONTAINER_CONFIG',
    op: 'container.create',
    ...(hint === undefined ? {} : { hint }),
  });
}

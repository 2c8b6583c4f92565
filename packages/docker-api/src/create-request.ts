/**
 * The body of POST /containers/create → the engine's request.
 *
 * Knows: Docker's Config.
 * Does not know: the image's part in it (the engine merges).
 *
 * @spec docker-api/v1.47#operation/ContainerCreate
 */
import type { BackendRequest } from './backend.ts';
import { notSupported } from './docker-status.ts';
import { Fields } from './fields.ts';
import { readHostConfig, readNetworkMode } from './host-config.ts';

export function readCreateRequest(body: unknown, name: string | undefined): BackendRequest {
  const fields = new Fields(body);
  requireAvailable(fields);
  const entrypoint = readCommand(fields, 'Entrypoint');
  const command = readCommand(fields, 'Cmd');
  const optional = {
    name,
    // Not docker's: a container on the root of another one, for commands that make an image step by step.
    rootOf: fields.object('HostConfig').text('RootfsFrom'),
    entrypoint,
    command,
    user: fields.text('User'),
    workingDir: fields.text('WorkingDir'),
    hostname: fields.text('Hostname'),
    domainname: fields.text('Domainname'),
    stopSignal: fields.text('StopSignal'),
    // 0 is a value here: end it at once.
    stopTimeoutSeconds: fields.raw('StopTimeout') === 0 ? 0 : fields.number('StopTimeout'),
    consoleSize: readConsoleSize(fields.object('HostConfig').raw('ConsoleSize')),
  };
  const request: BackendRequest = {
    image: fields.text('Image') ?? '',
    env: fields.texts('Env') ?? [],
    tty: fields.flag('Tty'),
    openStdin: fields.flag('OpenStdin'),
    stdinOnce: fields.flag('StdinOnce'),
    labels: fields.textMap('Labels'),
    host: readHostConfig(fields.object('HostConfig')),
    api: 'docker',
  };
  return { ...request, ...present(optional) };
}

function requireAvailable(fields: Fields): void {
  if (fields.isSet('Volumes')) throw notSupported('anonymous volumes are not available yet', 'bind a host directory instead');
  if (fields.isSet('MacAddress')) throw notSupported('a MAC address needs a network, and there is none yet');
  const test = fields.object('Healthcheck').texts('Test') ?? [];
  if (test.length > 0 && test[0] !== 'NONE') throw notSupported('health checks are not available yet', 'leave --health-cmd out');
  requirePlainEndpoints(fields.object('NetworkingConfig').object('EndpointsConfig'));
}

/** Nothing that only a network with addresses could keep. */
function requirePlainEndpoints(endpoints: Fields): void {
  for (const network of endpoints.names()) {
    readNetworkMode(network);
    const endpoint = endpoints.object(network);
    const address = endpoint.object('IPAMConfig');
    if (['IPv4Address', 'IPv6Address', 'LinkLocalIPs'].some((name) => address.isSet(name)))
      throw notSupported('an address of its own needs a network, and there is none yet');
    for (const name of ['Aliases', 'Links', 'MacAddress'])
      if (endpoint.isSet(name)) throw notSupported(`${name} of a network: there are only a loopback and the host’s network yet`);
  }
}

/** A list, or (as old clients send it) one string. null and absent leave it to the image. */
function readCommand(fields: Fields, name: string): readonly string[] | undefined {
  const value = fields.raw(name);
  if (typeof value === 'string') return value === '' ? undefined : [value];
  return fields.texts(name);
}

function readConsoleSize(value: unknown): { height: number; width: number } | undefined {
  if (!Array.isArray(value)) return undefined;
  const [height, width]: unknown[] = value;
  if (!isCells(height) || !isCells(width)) return undefined;
  return { height, width };
}

/** A terminal's rows or columns as the kernel's winsize can hold them, and not 0. */
export function isCells(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536;
}

/** Without the undefined ones, as absence is the engine's word for "not asked". */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

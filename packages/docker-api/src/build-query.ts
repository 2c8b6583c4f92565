/**
 * What a build is asked for: the query and the headers of `POST /build`.
 *
 * Knows: the parameters' names and spellings; which of them this engine cannot honour, and then refuses.
 * Does not know: builds.
 *
 * @spec docker-api/v1.47#operation/ImageBuild
 */
import { parsePlatform } from '@slipway/oci';
import { parseRegistryConfig } from '@slipway/registry-client/credentials';
import type { FastifyRequest } from 'fastify';
import type { BackendBuild } from './backend.ts';
import { badRequest, notSupported } from './docker-status.ts';
import { Fields, queryFlag, queryNumber, queryText, queryTexts } from './fields.ts';
import { readResources, readUlimit } from './host-config.ts';
import { query } from './route-context.ts';

/** Everything but the body, and where the answer goes. */
export type WantedBuild = Omit<BackendBuild, 'context' | 'secrets' | 'onOutput' | 'signal'> & {
  readonly quiet: boolean;
  /** So many bytes of the body are the build's secrets, and come before the context. */
  readonly secretBytes: number;
};

/** What a client may ask for and would notice to be missing, and why it is. */
const NOT_HERE: Readonly<Record<string, string>> = {
  remote: 'contexts are not fetched: send one',
  squash: 'layers are not squashed: a stage that begins with scratch and copies from another one has one layer',
  cgroupparent: 'a cgroup parent per build is not available',
  isolation: 'there is one kind of isolation',
  securityopt: 'security options are not available',
  outputs: 'the classic endpoint has no outputs: our own client has --output',
};

/** Values that mean nothing was asked for. */
const NOTHING = new Set(['', '0', 'null', 'default', '[]', '{}']);

/** @param architecture Docker's name for the machine's: images are built for it alone */
export function readBuild(request: FastifyRequest, architecture: string): WantedBuild {
  const options = query(request);
  if (queryText(options['version']) === '2') {
    throw notSupported('BuildKit is not available, builds are those of the classic builder', 'set DOCKER_BUILDKIT=0 for the docker client');
  }
  for (const [name, why] of Object.entries(NOT_HERE)) {
    if (!NOTHING.has(queryText(options[name]) ?? '')) throw notSupported(`docker build: ${name} is not available: ${why}`);
  }
  requirePlatform(queryText(options['platform']), architecture);
  const target = queryText(options['target']);
  const secretBytes = queryNumber('secretbytes', options['secretbytes']) ?? 0;
  return {
    dockerfile: queryText(options['dockerfile']) ?? 'Dockerfile',
    names: queryTexts(options['t']),
    buildArgs: readMap(options['buildargs'], 'buildargs'),
    labels: readMap(options['labels'], 'labels'),
    ...(target === undefined ? {} : { target }),
    noCache: queryFlag(options['nocache']),
    pull: queryFlag(options['pull']),
    network: readNetwork(queryText(options['networkmode'])),
    limits: readLimits(options),
    credentials: parseRegistryConfig(queryText(request.headers['x-registry-config']) ?? ''),
    quiet: queryFlag(options['q']),
    secretBytes,
  };
}

function requirePlatform(text: string | undefined, architecture: string): void {
  if (text === undefined) return;
  const platform = parsePlatform(text);
  if (platform?.os === 'linux' && platform.architecture === architecture) return;
  throw notSupported(`docker build: images are built for linux/${architecture} only here, not for ${JSON.stringify(text.slice(0, 100))}`);
}

function readNetwork(mode = 'default'): BackendBuild['network'] {
  if (!['default', 'none', 'host'].includes(mode))
    throw notSupported(`network ${JSON.stringify(mode.slice(0, 100))} is not available`, 'there are none and host');
  return mode === 'host' ? 'host' : 'none';
}

/** The same limits as a container's, under the query's names. */
function readLimits(options: Readonly<Record<string, unknown>>): BackendBuild['limits'] {
  const number = (name: string) => queryNumber(name, options[name]) ?? 0;
  const shmSizeBytes = number('shmsize');
  const resources = readResources(
    new Fields({
      Memory: number('memory'),
      MemorySwap: number('memswap'),
      CpuShares: number('cpushares'),
      CpuPeriod: number('cpuperiod'),
      CpuQuota: number('cpuquota'),
      CpusetCpus: queryText(options['cpusetcpus']),
      CpusetMems: queryText(options['cpusetmems']),
    }),
  );
  const ulimits = new Fields({ Ulimits: readJson(options['ulimits'], 'ulimits') ?? [] }).list('Ulimits');
  return {
    resources,
    ulimits: ulimits.map(readUlimit),
    ...(shmSizeBytes === 0 ? {} : { shmSizeBytes }),
    extraHosts: queryTexts(options['extrahosts']),
  };
}

/** A JSON object of strings; null is a value that was not given. */
function readMap(value: unknown, name: string): Readonly<Record<string, string>> {
  const parsed = readJson(value, name);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
  return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function readJson(value: unknown, name: string): unknown {
  const text = queryText(value);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`${name} is not JSON`);
  }
}

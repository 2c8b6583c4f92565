/**
 * Docker API: what this engine has little or nothing of. Lists say so by being short, and who asks for more hears why there is none.
 *
 * Knows: the two networks that there are, and which sentence goes with which path.
 * Does not know: how a container is in a network (packages/engine).
 *
 * @spec docker-api/v1.47#tag/Network, docker-api/v1.47#tag/Volume
 */
import type { FastifyInstance } from 'fastify';
import type { BackendContainer } from './backend.ts';
import { badRequest, notFound, notSupported } from './docker-status.ts';
import { queryText } from './fields.ts';
import { matchesAll, parseFilters } from './filters.ts';
import { ZERO_TIME } from './human-duration.ts';
import { param, query, type RouteContext } from './route-context.ts';

/** Path and everything below it → what is not available, and what to do instead. */
const REFUSED: Readonly<Record<string, readonly [what: string, hint?: string]>> = {
  '/networks/create': ['networks of one’s own are not available', 'use --network host, or leave it out for a loopback only'],
  '/networks/:name/connect': ['a container cannot change its network', 'make a new one with --network'],
  '/networks/:name/disconnect': ['a container cannot change its network', 'make a new one with --network'],
  '/volumes/create': ['volumes are not available yet', 'bind a host directory instead'],
  '/images/search': ['searching a registry is not available', 'docker pull takes a name that is known'],
};

const SWARM = ['swarm', 'nodes', 'services', 'tasks', 'secrets', 'configs'] as const;

const DRIVERS = { host: 'host', none: 'null' } as const;
type NetworkName = keyof typeof DRIVERS;
const NETWORKS = Object.keys(DRIVERS) as readonly NetworkName[];

export async function absentRoutes(app: FastifyInstance, { backend }: RouteContext): Promise<void> {
  for (const [url, [what, hint]] of Object.entries(REFUSED)) {
    app.all(url, async () => {
      throw notSupported(what, hint);
    });
  }
  for (const kind of SWARM) {
    const refuse = async () => {
      throw notSupported('swarm mode is not available: this engine runs the containers of one machine');
    };
    app.all(`/${kind}`, refuse);
    app.all(`/${kind}/*`, refuse);
  }
  app.get('/plugins', async () => []);
  networkRoutes(app, () => backend.list());
  volumeRoutes(app);
}

function networkRoutes(app: FastifyInstance, containers: () => readonly BackendContainer[]): void {
  app.get('/networks', async (request) => {
    const filters = parseFilters(queryText(query(request)['filters']), ['driver', 'id', 'name', 'scope', 'type']);
    return NETWORKS.filter((name) =>
      matchesAll(filters, {
        driver: (value) => DRIVERS[name] === value,
        id: (value) => name.startsWith(value),
        name: (value) => name.includes(value),
        scope: (value) => value === 'local',
        type: (value) => value === 'builtin',
      }),
    ).map((name) => toNetworkJson(name, containers()));
  });
  app.get('/networks/:name', async (request) => toNetworkJson(requireNetwork(param(request, 'name')), containers()));
  app.delete('/networks/:name', async (request) => {
    const name = requireNetwork(param(request, 'name'));
    throw badRequest(`${name} is a pre-defined network and cannot be removed`);
  });
  app.post('/networks/prune', async () => ({ NetworksDeleted: [] }));
}

function volumeRoutes(app: FastifyInstance): void {
  const refuse = async (request: Parameters<typeof param>[0]) => {
    throw notFound(`get ${param(request, 'name').slice(0, 200)}: no such volume`);
  };
  app.get('/volumes', async () => ({ Volumes: [], Warnings: null }));
  app.get('/volumes/:name', refuse);
  app.delete('/volumes/:name', refuse);
  app.post('/volumes/prune', async () => ({ VolumesDeleted: [], SpaceReclaimed: 0 }));
}

function requireNetwork(text: string): NetworkName {
  const name = NETWORKS.find((each) => each === text);
  if (name === undefined) throw notFound(`network ${text.slice(0, 200)} not found`);
  return name;
}

function toNetworkJson(name: NetworkName, containers: readonly BackendContainer[]): object {
  const inside = containers.filter(({ status, request }) => (status === 'running' || status === 'paused') && request.host.network === name);
  return {
    Name: name,
    Id: name,
    Created: ZERO_TIME,
    Scope: 'local',
    Driver: DRIVERS[name],
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(inside.map((each) => [each.id, toEndpointJson(each)])),
    Options: {},
    Labels: {},
  };
}

function toEndpointJson({ name }: BackendContainer): object {
  return { Name: name, EndpointID: '', MacAddress: '', IPv4Address: '', IPv6Address: '' };
}

/**
 * Docker API: ping, version, info.
 *
 * @spec docker-api/v1.47#tag/System
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { API_VERSION, MIN_API_VERSION, REFUSED_VERSION_PATH, versionProblem } from './api-version.ts';
import { arrivalStatus } from './arrivals.ts';
import type { BackendContainer, BackendImage, SystemFacts } from './backend.ts';
import { toListJson, toSizesJson } from './container-json.ts';
import { badRequest } from './docker-status.ts';
import { toImageJson } from './image-routes.ts';
import { param, type RouteContext } from './route-context.ts';

export async function systemRoutes(app: FastifyInstance, { backend, builder, facts }: RouteContext): Promise<void> {
  const ping = async (_request: unknown, reply: FastifyReply) =>
    reply
      .type('text/plain; charset=utf-8')
      .header('Cache-Control', 'no-cache, no-store, must-revalidate')
      .header('Pragma', 'no-cache')
      .send('OK');
  app.get('/_ping', ping);
  app.head('/_ping', ping);

  app.get('/version', async () => ({
    Platform: { Name: 'Slipway' },
    Version: facts.version,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: facts.gitCommit,
    GoVersion: '',
    Os: 'linux',
    Arch: facts.architecture,
    KernelVersion: facts.kernelVersion,
    BuildTime: '',
    Components: [
      {
        Name: 'Engine',
        Version: facts.version,
        Details: {
          ApiVersion: API_VERSION,
          MinAPIVersion: MIN_API_VERSION,
          Arch: facts.architecture,
          Os: 'linux',
          KernelVersion: facts.kernelVersion,
          GitCommit: facts.gitCommit,
          Node: process.version,
        },
      },
    ],
  }));

  app.get('/info', async () => {
    const images = await backend.images();
    return toInfoJson(facts, backend.list(), images);
  });

  app.get('/system/df', async () => {
    const usage = await backend.diskUsage();
    const containers = backend.list();
    const now = Date.now();
    return {
      LayersSize: usage.layerBytes,
      Images: (await backend.images()).map((image) =>
        toImageJson(image, containers.filter(({ imageId }) => imageId === image.id).length, usage.sharedBytes.get(image.id) ?? 0),
      ),
      Containers: containers.map((container) => ({
        ...toListJson(container, now),
        ...toSizesJson(container, usage.containers),
      })),
      Volumes: [],
      BuildCache: builder === undefined ? [] : toBuildCacheJson(builder.usage()),
    };
  });

  app.all(`${REFUSED_VERSION_PATH}/*`, async (request) => {
    const version = param(request, '*');
    throw badRequest(versionProblem(version) ?? `invalid API version: ${version}`);
  });
}

/** One record for all of it: steps share layers. */
function toBuildCacheJson({ steps, blobBytes }: { readonly steps: number; readonly blobBytes: number }): readonly object[] {
  if (steps === 0) return [];
  const now = new Date().toISOString();
  return [
    {
      ID: 'steps',
      Type: 'regular',
      Description: `results of ${steps} build steps`,
      InUse: false,
      Shared: false,
      Size: blobBytes,
      CreatedAt: now,
      LastUsedAt: now,
      UsageCount: steps,
    },
  ];
}

function toInfoJson(facts: SystemFacts, containers: readonly BackendContainer[], images: readonly BackendImage[]): object {
  const count = (...statuses: string[]) => containers.filter(({ status }) => statuses.includes(status)).length;
  return {
    ID: facts.id,
    Name: facts.hostName,
    Containers: containers.length,
    ContainersRunning: count('running'),
    ContainersPaused: count('paused'),
    ContainersStopped: count('created', 'exited', 'dead', 'removing'),
    Images: images.length,
    Driver: facts.storageDriver,
    DriverStatus: arrivalStatus(images),
    Plugins: { Volume: [], Network: ['host', 'none'], Authorization: null, Log: ['json-file'] },
    MemoryLimit: true,
    SwapLimit: false,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    OomKillDisable: false,
    LoggingDriver: 'json-file',
    CgroupDriver: facts.cgroupDriver,
    CgroupVersion: String(facts.cgroupVersion),
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: '',
    OSType: 'linux',
    Architecture: facts.architecture === 'amd64' ? 'x86_64' : facts.architecture,
    NCPU: facts.cpus,
    MemTotal: facts.memoryBytes,
    IndexServerAddress: '',
    RegistryConfig: { InsecureRegistryCIDRs: [], IndexConfigs: {}, Mirrors: [] },
    DockerRootDir: facts.rootDirectory,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: facts.version,
    Runtimes: Object.fromEntries(Object.entries(facts.runtimes).map(([name, path]) => [name, { path }])),
    DefaultRuntime: facts.defaultRuntime,
    Swarm: { LocalNodeState: 'inactive' },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: '',
    SecurityOptions: facts.securityOptions,
    SystemTime: new Date().toISOString(),
    Warnings: [],
  };
}

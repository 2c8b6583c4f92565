/**
 * The composition root: which parts there are, in which order they come up, and how they go.
 *
 * Knows: every part by name.
 * Does not know: any part's work.
 */
import { arch, hostname, release } from 'node:os';
import type { Builder, BuilderParts } from '@slipway/builder';
import { detectCgroups, makeRoomForGroups } from '@slipway/cgroups';
import { createImagePort, openEngine, traceLazyLayers } from '@slipway/engine';
import { EngineError } from '@slipway/errors';
import { openImageStore } from '@slipway/images';
import { createTracer } from '@slipway/journal';
import { ensurePrivateDirectory, monotonicMs } from '@slipway/kernel';
import { createLauncher } from '@slipway/launcher';
import { hostPlatform } from '@slipway/oci';
import { chooseRuntime, createRuntime, type Runtime } from '@slipway/runtime';
import type { Logger } from 'pino';
import type { DaemonConfig } from './config.ts';
import { createJournalFeed } from './journal-feed.ts';
import { openJournalFile } from './journal-file.ts';
import { type LabLinkOptions, openLabLink } from './lab-link.ts';
import { startRegistry } from './registry.ts';
import { restAfterRequests } from './rest.ts';
import { lockRoot } from './root-lock.ts';
import { cgroupModeForJournal, readSystemFacts } from './system-facts.ts';
import { listenOn } from './unix-listener.ts';

export interface Daemon {
  /** Ends the daemon, not its containers. */
  stop(): Promise<void>;
}

/** @throws EngineError in a sentence for everything that keeps it from running; nothing is left behind then */
export async function startDaemon(config: DaemonConfig, version: string, log: Logger): Promise<Daemon> {
  requireHost();
  await ensurePrivateDirectory(config.root, 0o711);
  await ensurePrivateDirectory(config.state);
  const closers: (() => unknown)[] = [lockRoot(config.root)];
  const stop = async () => {
    for (const close of closers.toReversed()) await close();
    closers.length = 0;
  };
  try {
    await compose({ config, version, log, closers });
    return { stop };
  } catch (failure) {
    await stop();
    throw failure;
  }
}

interface Composition {
  readonly config: DaemonConfig;
  readonly version: string;
  readonly log: Logger;
  /** How to undo what stands, oldest first. */
  readonly closers: (() => unknown)[];
}

async function compose({ config, version, log, closers }: Composition): Promise<void> {
  const feed = createJournalFeed();
  const { emit } = feed;
  emit({
    type: 'epoch',
    wallMs: Date.now(),
    machine: hostname(),
    kernel: release(),
    cgroupMode: cgroupModeForJournal(),
    engine: `slipwayd ${version}`,
  });
  const tracer = createTracer({ emit: feed.emitLater, now: monotonicMs });
  const warn = (message: string) => {
    log.warn(message);
    emit({ type: 'notice', level: 'warning', text: message });
  };
  const images = await openImageStore({
    root: config.root,
    snapshotter: config.snapshotter,
    platform: hostPlatform(arch()),
    registries: { mirrors: config.registryMirrors, insecureRegistries: config.insecureRegistries, proxies: config.proxies },
    lazyPulls: config.lazyPulls,
    ...(config.sharedImages === undefined ? {} : { shared: config.sharedImages }),
    onLazy: traceLazyLayers(tracer, warn),
  });
  closers.push(() => images.close());
  prepareCgroups(warn);
  const runtime = openRuntimes(config, warn);
  closers.push(() => runtime.close());
  const port = createImagePort(images, warn);
  // Beside the engine's own state, which no container may be given a directory of.
  const builds = `${config.root}-build`;
  const engine = await openEngine({
    runtime,
    images: port,
    tracer,
    paths: { root: config.root, state: config.state, builds },
    emit,
    warn,
    runtimes: {
      foreign: Object.keys(config.runtimes),
      ...(config.defaultRuntime === undefined ? {} : { fallback: config.defaultRuntime }),
    },
    watchLayers: config.labSocket !== undefined || config.journalFile !== undefined,
  });
  closers.push(() => engine.close());
  if (config.journalFile !== undefined)
    closers.push(openClosable(openJournalFile(config.journalFile, feed, (message) => log.error(message))));
  if (config.labSocket !== undefined) closers.push(openClosable(openLabLink(labLinkOptions(config.labSocket, config.root, log), feed)));
  // First: who can ask for a pull may ask for one from here.
  const registry = await startRegistry(config, tracer, log);
  closers.push(() => registry.stop());
  if (config.dockerSocket !== undefined) {
    const { createDockerApi } = await import('@slipway/docker-api');
    const api = await createDockerApi({
      backend: engine,
      builder: builderOnDemand({
        engine,
        images: port,
        tracer,
        directory: builds,
        secretsDirectory: `${config.state}-build`,
        addHosts: config.addHosts,
        proxies: config.proxies,
      }),
      tracer,
      facts: readSystemFacts(config, version, feed.boot),
      logPath: (id) => `${config.root}/containers/${id}/container.log`,
      onInternalError: (error) => log.error({ err: error }, 'internal error'),
    });
    // A client that comes is likely to start something, a few requests later.
    api.http.on('connection', () => runtime.expectCreate());
    await listenOn(api.http, config.dockerSocket, ({ message }) => warn(`a connection to the Docker API was not accepted: ${message}`));
    closers.push(() => api.close());
    closers.push(restAfterRequests(api.http));
    log.info({ socket: config.dockerSocket }, 'serving the Docker API');
  }
}

function labLinkOptions(path: string, root: string, log: Logger): LabLinkOptions {
  return { path, root, onProblem: (message) => log.debug({ labSocket: path }, message) };
}

/** Loaded by the first build: most engines never see one. */
function builderOnDemand(parts: BuilderParts): Builder {
  let made: Promise<Builder> | undefined;
  const builder = () => {
    made ??= import('@slipway/builder').then(({ createBuilder }) => createBuilder(parts));
    return made;
  };
  return {
    build: async (request, parent) => (await builder()).build(request, parent),
    prune: async () => (await builder()).prune(),
    usage: () => parts.images.making.cache.usage(),
  };
}

/** Ours, and those that the settings name. */
function openRuntimes({ state, cgroupParent, keepReady, runtimes }: DaemonConfig, onWarning: (message: string) => void): Runtime {
  const launcher = createLauncher();
  const own = createRuntime({ root: `${state}/runtime`, launcher, keepReady, cgroupParent, onWarning });
  const foreign = Object.entries(runtimes).map(([name, program]) => ({
    name,
    program,
    root: `${state}/runtimes/${name}`,
    launcher,
    cgroupParent,
  }));
  return chooseRuntime(own, foreign);
}

/** In a machine of its own the engine must not sit at the top of its cgroups. Where it may not move, it still runs containers without limits. */
function prepareCgroups(warn: (message: string) => void): void {
  try {
    makeRoomForGroups(detectCgroups());
  } catch (error) {
    warn(`no room for cgroups with limits: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function openClosable(part: { close(): unknown }): () => unknown {
  return () => part.close();
}

function requireHost(): void {
  const fail = (message: string, hint: string) => new EngineError('unsupported', message, { code: 'E_HOST', op: 'daemon.start', hint });
  if (process.platform !== 'linux') throw fail(`slipwayd needs Linux, this is ${process.platform}`, 'run it in a Linux machine');
  if (process.getuid?.() !== 0) throw fail('slipwayd needs to be root', 'start it with sudo, or inside a lab machine');
}

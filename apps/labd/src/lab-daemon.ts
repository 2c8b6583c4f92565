/**
 * The lab as one thing that starts and ends.
 *
 * Knows: the order of both, and how an address with a login code looks.
 * Does not know: signals, configuration files (main.ts), which packages stand behind the ports.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { EngineError, Rollback } from '@slipway/errors';
import type { FastifyBaseLogger } from 'fastify';
import { Sessions } from './access/sessions.ts';
import type { Config } from './config.ts';
import { type Control, openControl } from './control.ts';
import { createServer, type LabServer } from './http/server.ts';
import { Learners } from './lab/learners.ts';
import { LessonLibrary } from './lessons/library.ts';
import type { HostFacts, HostObserver, LabMachines, OpenPtyHost } from './ports.ts';
import { Store } from './store.ts';

export interface LabParts {
  readonly machines: LabMachines;
  readonly observer: HostObserver;
  readonly openPtyHost: OpenPtyHost;
  readonly facts: HostFacts;
  /** Exported page, lessons' prose and labs. */
  readonly webDir: string;
  readonly contentDir: string;
  readonly labsDir: string;
  /** Load lessons again when their files change. */
  readonly watchLessons: boolean;
  readonly log: FastifyBaseLogger;
}

export interface RunningLab {
  /** An address that logs in once. */
  address(): string;
  /** Ends everything and removes what the lab made on the host; data stays. */
  end(): Promise<void>;
  /** Lets go of everything but terminals and machines, which the next lab finds again. */
  leave(): Promise<void>;
}

/** Until there is sign-up there is one learner, who is whoever started the lab. */
const LOCAL = { id: 'local', name: 'You' } as const;

/**
 * Resolves when a page can be used: the machine is there, or it is known why not. Closes `parts.observer` when it fails.
 * @throws EngineError `failed-precondition` / `E_PORT_IN_USE`, `E_LAB_RUNNING`
 */
export async function startLab(config: Config, parts: LabParts): Promise<RunningLab> {
  const { log } = parts;
  const { control, store, library, sessions, learners, server, named } = await assemble(config, parts);
  const lab = running({ control, store, library, learners, server, parts, runDir: config.runDir, address: () => named.address() });
  try {
    learners.starting = true;
    const port = await listen(server, config);
    server.app.server.on('error', (error) => notAccepted(parts, error));
    named.address = () => `${config.publicOrigin ?? `http://${bracketed(config.host)}:${port}`}/#code=${sessions.issueCode(LOCAL.id)}`;
    await learners.terminals.connect();
    const learner = await learners.add(LOCAL.id, LOCAL.name);
    learners.starting = false;
    if (parts.watchLessons) library.watch((slugs) => reloadAll(learners, slugs));
    await learner.lab.settled();
    return lab;
  } catch (failure) {
    await lab.leave().catch((error: unknown) => log.error({ err: error }, 'cleaning up after a failed start failed too'));
    throw failure;
  }
}

/** All that can be made before anybody may come in, or nothing. `named.address` is empty until the port is known. */
async function assemble(config: Config, parts: LabParts) {
  const { dataDir, runDir, locale } = config;
  const rollback = new Rollback();
  rollback.defer('stop observing', () => parts.observer.close());
  try {
    for (const dir of [dataDir, runDir]) mkdirSync(dir, { recursive: true, mode: 0o700 });
    const named = { address: () => '' };
    const control = await openControl(`${runDir}/control/labd.sock`, {
      onCode: () => named.address(),
      onTrouble: (error) => notAccepted(parts, error),
    });
    rollback.defer('leave the control socket', async () => {
      control.close();
      removeEmpty(runDir);
    });
    const store = new Store(`${dataDir}/lab.sqlite`);
    rollback.defer('close the store', async () => store.close());
    const sessions = new Sessions({ store, codeMs: config.loginCodeMs });
    const library = new LessonLibrary({ contentDir: parts.contentDir, labsDir: parts.labsDir, locale }, parts.log);
    await library.load();
    const { limits, terminalsPerLearner } = config;
    const learners = new Learners({
      ...parts,
      store,
      library,
      host: parts.facts,
      limits,
      terminalsPerLearner,
      journalsDir: `${dataDir}/journals`,
    });
    const server = await createServer({ ...config, ...parts, learners, sessions });
    rollback.disarm();
    return { control, store, library, sessions, learners, server, named };
  } catch (failure) {
    return await rollback.unwind(failure);
  }
}

interface Running {
  readonly control: Control;
  readonly store: Store;
  readonly library: LessonLibrary;
  readonly learners: Learners;
  readonly server: LabServer;
  readonly parts: LabParts;
  readonly runDir: string;
  readonly address: () => string;
}

function running({ control, store, library, learners, server, parts, runDir, address }: Running): RunningLab {
  const closing = [async () => library.close(), () => server.close(), () => learners.close(), () => parts.observer.close()];
  const last = [async () => store.close(), async () => control.close(), async () => removeEmpty(runDir)];
  /** Each step is tried even if one before it failed: what can be removed is removed. */
  const takeDown = async (between: readonly (() => Promise<void>)[]): Promise<void> => {
    const failures: unknown[] = [];
    for (const step of [...closing, ...between, ...last]) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'the lab could not be taken down completely');
  };
  return {
    address,
    end: () => takeDown([() => learners.terminals.shutdown(), () => parts.machines.removeAll()]),
    leave: () => takeDown([() => learners.terminals.leave()]),
  };
}

async function listen(server: LabServer, { host, port }: Config): Promise<number> {
  // Refuses everything until the port, and with it the allow-lists, are known.
  try {
    await server.app.listen({ host, port });
  } catch (cause) {
    const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    throw new EngineError('failed-precondition', inUse ? `port ${port} is in use` : `cannot listen on ${host}:${port}`, {
      code: inUse ? 'E_PORT_IN_USE' : 'E_LISTEN',
      op: 'lab.listen',
      hint: 'choose another with --port, or end the program that has it',
      cause,
    });
  }
  const chosen = (server.app.server.address() as AddressInfo).port;
  server.setPort(chosen);
  return chosen;
}

function notAccepted({ log }: LabParts, error: Error): void {
  log.warn({ err: error }, 'a connection was not accepted');
}

function reloadAll(learners: Learners, slugs: readonly string[]): void {
  for (const { lessons } of learners.all()) for (const slug of slugs) lessons.reload(slug);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Only what is empty: something may still be mounted below, and must not be followed. */
export function removeEmpty(runDir: string): void {
  for (const name of ['control', 'pty', 'trace', 'm', 'runtime', '']) {
    try {
      rmdirSync(`${runDir}/${name}`);
    } catch {
      // In use, or never made.
    }
  }
}

/**
 * A server over stand-ins, with two learners and a session for each, ready for `inject` or for a socket.
 *
 * Knows: how the parts are put together for tests.
 * Does not know: what is tested.
 */
import type { AddressInfo } from 'node:net';
import { Sessions } from '../access/sessions.ts';
import { createServer, type LabServer } from '../http/server.ts';
import { type Learner, Learners } from '../lab/learners.ts';
import { LessonLibrary } from '../lessons/library.ts';
import type { LabMachines, OpenPtyHost } from '../ports.ts';
import { Store } from '../store.ts';
import {
  FACTS,
  LESSON,
  LIMITS,
  silent,
  standInMachines,
  standInObserver,
  standInPtyHost,
  temporaryDirectory,
  writePage,
} from './stand-in.ts';

export interface Signed {
  readonly learner: Learner;
  readonly cookie: string;
  readonly token: string;
}

export interface Served {
  readonly server: LabServer;
  readonly sessions: Sessions;
  readonly learners: Learners;
  readonly store: Store;
  readonly observer: ReturnType<typeof standInObserver>;
  readonly machines: LabMachines;
  readonly ran: readonly string[];
  readonly port: number;
  readonly alice: Signed;
  readonly bob: Signed;
  /** Headers of a page of ours: host, origin, cookie, token. */
  headers(who?: Signed): Record<string, string>;
  close(): Promise<void>;
}

class OneLesson extends LessonLibrary {
  override all() {
    return [LESSON];
  }
  override find(slug: string) {
    return slug === 'first' ? LESSON : undefined;
  }
}

export interface ServeOptions {
  /** Really listen; otherwise only `inject` works. */
  readonly listen?: boolean;
  readonly publicOrigin?: string;
  readonly openPtyHost?: OpenPtyHost;
  readonly machines?: (directory: string) => LabMachines & { readonly ran: string[] };
}

export async function serve({
  listen = false,
  publicOrigin,
  openPtyHost = standInPtyHost,
  machines = standInMachines,
}: ServeOptions = {}): Promise<Served> {
  const directory = temporaryDirectory();
  const store = new Store(':memory:');
  const sessions = new Sessions({ store, codeMs: 60_000 });
  const observer = standInObserver();
  const standIns = machines(directory.path);
  const learners = new Learners({
    store,
    library: new OneLesson({ contentDir: '', labsDir: '', locale: 'en' }, silent),
    machines: standIns,
    observer,
    openPtyHost,
    host: FACTS,
    limits: LIMITS,
    terminalsPerLearner: 4,
    journalsDir: `${directory.path}/journals`,
    log: silent,
  });
  const webDir = writePage(directory.path);
  const host = '127.0.0.1';
  const server = await createServer({
    host,
    publicOrigin,
    devOrigin: undefined,
    webDir,
    learners,
    sessions,
    observer,
    facts: FACTS,
    log: silent,
  });
  if (listen) await server.app.listen({ host, port: 0 });
  const port = listen ? (server.app.server.address() as AddressInfo).port : 4600;
  server.setPort(port);
  const sign = async (id: string): Promise<Signed> => {
    const learner = await learners.add(id, id);
    await learner.lab.settled();
    const { cookie, session } = sessions.login(sessions.issueCode(id));
    return { learner, cookie, token: session.token };
  };
  const alice = await sign('alice');
  const bob = await sign('bob');
  return {
    server,
    sessions,
    learners,
    store,
    observer,
    machines: standIns,
    ran: standIns.ran,
    port,
    alice,
    bob,
    headers: (who) => ({
      host: `${host}:${port}`,
      origin: `http://${host}:${port}`,
      ...(who && { cookie: `slipway-${port}=${who.cookie}`, 'x-slipway': who.token }),
    }),
    close: async () => {
      await server.close();
      await learners.close();
      await learners.terminals.shutdown();
      store.close();
      directory.remove();
    },
  };
}

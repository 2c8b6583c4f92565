/**
 * Our engine for a bench: bin/slipwayd on directories of its own, spoken to over one connection that is kept open.
 *
 * Knows: starting it, its API's four calls that a bench needs.
 * Does not know: what is measured.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Wire } from './wire.ts';
import { CHECKOUT, endChild, type Workplace } from './workplace.ts';

const READY_MS = 15_000;

/** Of POST /containers/create: busybox's `true`. */
export const TRUE_CONTAINER = { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none' } };

export interface Bundle {
  /** Directory with config.json. */
  readonly directory: string;
  /** overlay's lowerdir for the image's layers. */
  readonly lower: string;
}

export class EngineUnderTest {
  readonly socket: string;
  readonly #root: string;
  readonly #child: ChildProcess;
  readonly #wire: Wire;

  private constructor(place: Workplace) {
    this.socket = place.path('slipway.sock');
    this.#wire = new Wire(this.socket);
    this.#root = place.path('slipway');
    const flags = ['--root', this.#root, '--state', place.path('slipway-run'), '--docker-socket', this.socket];
    this.#child = spawn(`${CHECKOUT}/bin/slipwayd`, [...flags, '--cgroup-parent', place.cgroup, '--log-level', 'warn'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }

  /** Starts it and loads busybox. */
  static async start(place: Workplace): Promise<EngineUnderTest> {
    const engine = new EngineUnderTest(place);
    for (const deadline = Date.now() + READY_MS; !existsSync(engine.socket); await sleep(20)) {
      if (engine.#child.exitCode !== null || Date.now() > deadline) throw new Error('slipwayd did not come up');
    }
    await engine.call('POST', '/images/load', createReadStream(busyboxArchive(place)));
    return engine;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** A container of busybox's `true`, not started. */
  async create(): Promise<string> {
    const { Id } = JSON.parse(await this.call('POST', '/containers/create', TRUE_CONTAINER));
    return String(Id);
  }

  /** One container's whole life. */
  async runToEnd(): Promise<void> {
    const id = await this.create();
    await this.call('POST', `/containers/${id}/start`);
    await this.call('POST', `/containers/${id}/wait`);
    await this.call('DELETE', `/containers/${id}`);
  }

  /** The bundle and layers of a container that was created. */
  bundleOf(id: string): Bundle {
    const directory = `${this.#root}/containers/${id}`;
    const record = JSON.parse(readFileSync(`${directory}/container.json`, 'utf8'));
    const data: readonly string[] = record.rootfs.mount.data;
    const lower = data.find((option) => option.startsWith('lowerdir='));
    if (lower === undefined) throw new Error('the engine does not use overlay here');
    return { directory, lower: lower.slice('lowerdir='.length) };
  }

  /** @throws for answers of 400 and more */
  async call(method: string, path: string, body?: unknown): Promise<string> {
    if (body instanceof Object && 'pipe' in body) return await this.#upload(path, body as NodeJS.ReadableStream);
    const text = body === undefined ? '' : JSON.stringify(body);
    const { status, content } = await this.#wire.ask(method, path, text);
    if (status >= 400) throw new Error(`${method} ${path}: ${content}`);
    return content;
  }

  #upload(path: string, body: NodeJS.ReadableStream): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options = { socketPath: this.socket, method: 'POST', path, headers: { 'content-type': 'application/x-tar' } };
    const sent = request(options, (response) => {
      response.resume().on('end', () => ((response.statusCode ?? 500) < 400 ? resolve('') : reject(new Error(`POST ${path} failed`))));
    });
    sent.on('error', reject);
    body.pipe(sent);
    return promise;
  }

  async stop(): Promise<void> {
    this.#wire.close();
    await endChild(this.#child);
  }
}

/** The lab's own busybox image. */
export function busyboxArchive(place: Workplace): string {
  const archive = place.path('busybox.tar');
  if (!existsSync(archive)) execFileSync(process.execPath, [`${CHECKOUT}/scripts/make-busybox-image.ts`, archive], { stdio: 'ignore' });
  return archive;
}

/**
 * Failing a store at one point, and what has to be true afterwards.
 *
 *     a sound store, copied ─▶ work that fails at a point ─▶ check ─▶ open again ─▶ images are as before or as after
 *                                                             ─▶ the work, once more ─▶ as undisturbed ─▶ check: nothing left over
 *
 * Knows: the order of a round, and the promises it looks at.
 * Does not know: which rounds are run (crash.host.test.ts, scripts/crash.ts).
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { MediaTypes } from '@slipway/oci';
import { StubRegistry } from '@slipway/registry-client/testing';
import { checkStore, type ImageStore, openImageStore } from '../index.ts';
import { configOf, descriptorOf, layerOf, streamOf } from './archives.ts';
import { BASE_ARCHIVE, VICTIM_ARCHIVE, WORKS, type WorkName } from './crash-subject.ts';

export type Failure = 'error' | 'enospc' | 'kill' | 'hang';

export interface Round {
  readonly work: WorkName;
  readonly point: string;
  /** 1: the first time that it is passed. */
  readonly nth: number;
  readonly how: Failure;
}

const SUBJECT = fileURLToPath(new URL('./crash-subject.ts', import.meta.url));
const ARM = fileURLToPath(new URL('../../../testing/src/arm-fail-point.ts', import.meta.url));
const PATIENCE_MS = 60_000;

/** One store, one registry, any number of rounds. */
export class CrashCampaign implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'crash-'));
  readonly #registry: StubRegistry;
  readonly #before: readonly string[];

  private constructor(registry: StubRegistry, before: readonly string[]) {
    this.#registry = registry;
    this.#before = before;
  }

  static async start(): Promise<CrashCampaign> {
    const registry = await StubRegistry.start();
    publish(registry);
    const campaign = new CrashCampaign(registry, ['docker.io/library/base:1', 'docker.io/library/victim:1']);
    await campaign.#opened(campaign.#sound, async (store) => {
      for (const archive of [BASE_ARCHIVE(), VICTIM_ARCHIVE()]) await store.loadArchive(streamOf(archive));
      const { directories } = await store.prepareRootfs('base:1', 'container');
      writeFileSync(`${directories.own}/changed`, 'by a container');
    });
    return campaign;
  }

  /** Every point that a work passes, as often as it passes it. */
  async pointsOf(work: WorkName): Promise<readonly Pick<Round, 'work' | 'point' | 'nth'>[]> {
    const root = this.#copy();
    const { code, stderr } = await this.#run(root, work, 'record');
    if (code !== 0) throw new Error(`${work} failed by itself: ${stderr}`);
    rmSync(root, { recursive: true });
    const seen = new Map<string, number>();
    return [...stderr.matchAll(/^passed (\S+)$/gm)].map(([, point = '']) => {
      seen.set(point, (seen.get(point) ?? 0) + 1);
      return { work, point, nth: seen.get(point) ?? 1 };
    });
  }

  /** @returns what is wrong, in sentences; empty when the store kept its promises */
  async round({ work, point, nth, how }: Round): Promise<readonly string[]> {
    const root = this.#copy();
    try {
      const { code, stderr } = await this.#run(root, work, `${point}#${nth}:${how}`);
      // In how many pieces bytes come is not the same every time: the last of them may not have come.
      const mayLack = nth > 1 && code === 0;
      const wrong: string[] = mayLack || stderr.includes(`failing at ${point}`) ? [] : [`the point was not passed: ${stderr}`];
      wrong.push(...(await faultsOf(root, 'after the failure')));
      const after = this.#after(work);
      await this.#opened(root, async (store) => {
        const names = await namesOf(store);
        if (!same(names, this.#before) && !same(names, after)) wrong.push(`half of it is visible: ${names.join(' ')}`);
        if (work !== 'remove' || names.includes('docker.io/library/victim:1')) await WORKS[work](store, this.#registry.host);
        const again = await namesOf(store);
        if (!same(again, after)) wrong.push(`the work was not completed: ${again.join(' ')}`);
        // What a build that was killed was writing to belongs to a container that the engine removes.
        for (const { name } of await store.snapshots.list()) if (name.startsWith('build-')) await store.removeRootfs(name);
        await store.collectGarbage();
      });
      wrong.push(...(await faultsOf(root, 'after the work was done again', true)));
      return wrong;
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #sound(): string {
    return join(this.#directory, 'sound');
  }

  #copy(): string {
    const root = mkdtempSync(join(this.#directory, 'round-'));
    cpSync(this.#sound, root, { recursive: true, preserveTimestamps: true });
    return root;
  }

  #after(work: WorkName): readonly string[] {
    const made = { pull: [`${this.#registry.host}/pulled:1`], load: ['loaded'], commit: ['committed'], build: ['built'], remove: [] }[work];
    const names = [...this.#before, ...made.map((name) => (name.includes(':') ? name : `docker.io/library/${name}:1`))];
    return names.filter((name) => work !== 'remove' || !name.includes('victim'));
  }

  async #opened(root: string, use: (store: ImageStore) => Promise<void>): Promise<void> {
    const store = await openImageStore({ root, platform: { os: 'linux', architecture: 'amd64' } });
    try {
      await use(store);
    } finally {
      await store.close();
    }
  }

  #run(root: string, work: WorkName, failpoint: string): Promise<{ readonly code: number | null; readonly stderr: string }> {
    const args = ['--disable-warning=ExperimentalWarning', '--import', ARM, SUBJECT, root, work, this.#registry.host];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], FAILPOINT: failpoint, NODE_COMPILE_CACHE: join(this.#directory, 'compiled') },
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      // One that stands still is ended from outside, as a power cut would.
      if (failpoint.endsWith(':hang') && stderr.includes('failing at')) child.kill('SIGKILL');
    });
    const impatience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(impatience);
        resolve({ code, stderr });
      });
    });
  }
}

async function faultsOf(root: string, when: string, thorough = false): Promise<string[]> {
  const { faults, leftovers } = await checkStore(root);
  return [...faults, ...(thorough ? leftovers : [])].map(({ code, subject, message }) => `${when}: ${code}: ${subject}: ${message}`);
}

async function namesOf(store: ImageStore): Promise<readonly string[]> {
  return (await store.list()).flatMap(({ names }) => names);
}

function same(names: readonly string[], others: readonly string[]): boolean {
  return names.toSorted().join(' ') === others.toSorted().join(' ');
}

function publish(registry: StubRegistry): void {
  const tars = ['one', 'two', 'three'].map((text) => layerOf({ [text]: `${text} `.repeat(40_000) }));
  const blobs = [tars[0] ?? Buffer.alloc(0), gzipSync(tars[1] ?? ''), zstdCompressSync(tars[2] ?? '')];
  const types = [MediaTypes.ociLayer, MediaTypes.ociLayerGzip, MediaTypes.ociLayerZstd];
  const config = configOf(tars);
  for (const bytes of [config, ...blobs]) registry.blob('pulled', bytes);
  registry.manifest('pulled', '1', {
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: descriptorOf(MediaTypes.ociConfig, config),
    layers: blobs.map((bytes, at) => descriptorOf(types[at] ?? '', bytes)),
  });
}

/**
 * The workbench agent: answers requests about config.json documents and births, one JSON object a line.
 *
 * Knows: lines, pages, and that everything it made goes when its input ends.
 * Does not know: who is at the other end (labd, in practice), nor how any request is done.
 */
import { WORKBENCH_LINE_BYTES, WorkbenchLine, type WorkbenchRequest } from '@slipway/contracts';
import { Births } from './births.ts';
import { exportBundle } from './bundle.ts';
import { documentOfDockerRun } from './docker-run.ts';
import { planText, specFor, validateText } from './documents.ts';
import { configOfContainer, listContainers, listImages } from './engine-facts.ts';
import { toFailure, unusable } from './failures.ts';
import { graphOf, listedImages, XRAYS, xrayOf } from './images/machine-images.ts';
import { differenceOf } from './images/xray-diff.ts';
import { fileOf } from './images/xray-file.ts';
import { directoryOf, searchIn } from './images/xray-reports.ts';
import { lookInLayers } from './layer-look.ts';
import { measureLeaks } from './leaks.ts';
import { beginPeer } from './peer-birth.ts';
import { runDocument } from './run.ts';
import { splitLines } from './split-lines.ts';
import { TerminalRuns } from './terminal-runs.ts';

type Request<Verb extends WorkbenchRequest['do']> = Extract<WorkbenchRequest, { readonly do: Verb }>;
type Handlers = { readonly [Verb in WorkbenchRequest['do']]?: (request: Request<Verb>, page: number) => unknown };

/** A birth that waits for somebody who went away is undone after this time. */
const IDLE_MS = 15 * 60 * 1000;

export class Agent {
  readonly #out: (text: string) => void;
  readonly #births: Births;
  readonly #terminalRuns = new TerminalRuns();
  readonly #handlers: Handlers = {
    images: async () => ({ images: await listImages() }),
    containers: async () => ({ containers: await listContainers() }),
    spec: async ({ image }) => ({ config: await specFor(image) }),
    fromContainer: ({ container }) => configOfContainer(container),
    fromDockerRun: ({ line }) => documentOfDockerRun(line),
    layers: ({ directories, path }) => lookInLayers(directories, path),
    imageList: listedImages,
    imageGraph: ({ image }) => graphOf(image),
    xray: ({ image }) => xrayOf(image),
    xrayDirectory: async ({ stack, layer, path }) => directoryOf(await XRAYS.open(stack), path, layer),
    xrayFind: async ({ stack, text }) => searchIn(await XRAYS.open(stack), text),
    xrayFile: async ({ stack, layer, path, offset }) => fileOf(await XRAYS.open(stack), { layer, path, offset }),
    xrayDiff: async ({ stack, other }) => differenceOf(await XRAYS.open(stack), await XRAYS.open(other)),
    validate: ({ config }) => ({ issues: validateText(config) }),
    plan: ({ config }) => planText(config),
    birth: ({ birth, image, config, without, breakpoints, until }, page) =>
      this.#births.begin(page, { name: birth, image, config, without }, { how: 'continue', breakpoints, until }),
    go: ({ birth, how, breakpoints, until }, page) =>
      how === 'start' ? this.#births.start(page, birth) : this.#births.go(page, birth, { how, breakpoints, until }),
    inspect: ({ birth }, page) => this.#births.inspect(page, birth),
    shell: ({ birth }, page) => this.#births.entrance(page, birth),
    leaks: ({ image, config, without }, page) => measureLeaks(this.#births, page, { image, config, without }),
    run: ({ image, config, runtime, timeoutMs }, page) => runDocument(this.#births, page, { image, config, runtime, timeoutMs }),
    peer: ({ image, config }, page) => beginPeer(page, { image, config }),
    openRun: ({ image, config, runtime }) => this.#terminalRuns.prepare({ image, config, runtime }),
    seeRun: ({ run }) => this.#terminalRuns.look(run),
    exportBundle: ({ image, config }) => exportBundle(image, config),
    delete: async ({ birth }, page) => {
      await this.#births.end(page, birth);
      return {};
    },
  };

  /** `out` takes whole lines. */
  constructor(out: (text: string) => void, { idleMs = IDLE_MS }: { readonly idleMs?: number } = {}) {
    this.#out = out;
    this.#births = new Births({ idleMs, onMove: (page, event) => this.#say({ page, event }) });
  }

  /** Answers until the input ends; then everything is undone. */
  async serve(input: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const line of splitLines(input, WORKBENCH_LINE_BYTES)) void this.#take(line);
    } finally {
      await this.#births.endAll();
      await this.#terminalRuns.close();
    }
  }

  async #take(text: string): Promise<void> {
    const line = parseLine(text);
    // A line that is none of the protocol has no id to answer to.
    if (line === undefined) return;
    if ('gone' in line) return await this.#births.endAllOf(line.gone);
    const { id, page, request } = line;
    try {
      this.#say({ id, result: await this.#perform(request, page) });
    } catch (error) {
      this.#say({ id, failure: toFailure(error) });
    }
  }

  #perform(request: WorkbenchRequest, page: number): unknown {
    const handler = this.#handlers[request.do] as ((request: WorkbenchRequest, page: number) => unknown) | undefined;
    if (handler !== undefined) return handler(request, page);
    throw unusable(`this workbench cannot ${request.do} yet`, 'E_WORKBENCH_VERB');
  }

  #say(message: object): void {
    this.#out(`${JSON.stringify(message)}\n`);
  }
}

function parseLine(text: string): WorkbenchLine | undefined {
  try {
    return WorkbenchLine.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

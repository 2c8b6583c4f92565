/**
 * The workbench agent: answers requests about config.json documents and births, one JSON object a line.
 *
 * Knows: lines, pages, and that everything it made goes when its input ends.
 * Does not know: who is at the other end (labd, in practice), nor how any request is done.
 */
import { WORKBENCH_LINE_BYTES, WorkbenchLine, type WorkbenchRequest } from '@slipway/contracts';
import { findEngineError } from '@slipway/errors';
import { planText, specFor, validateText } from './documents.ts';
import { configOfContainer, listContainers, listImages } from './engine-facts.ts';
import { unusable } from './failures.ts';
import { splitLines } from './split-lines.ts';

type Request<Verb extends WorkbenchRequest['do']> = Extract<WorkbenchRequest, { readonly do: Verb }>;
type Handlers = { readonly [Verb in WorkbenchRequest['do']]?: (request: Request<Verb>, page: number) => unknown };

export class Agent {
  readonly #out: (text: string) => void;
  readonly #handlers: Handlers = {
    images: async () => ({ images: await listImages() }),
    containers: async () => ({ containers: await listContainers() }),
    spec: async ({ image }) => ({ config: await specFor(image) }),
    fromContainer: ({ container }) => configOfContainer(container),
    validate: ({ config }) => ({ issues: validateText(config) }),
    plan: ({ config }) => planText(config),
  };

  constructor(out: (text: string) => void) {
    this.#out = out;
  }

  /** Answers until the input ends. */
  async serve(input: AsyncIterable<Uint8Array>): Promise<void> {
    const underWay = new Set<Promise<void>>();
    for await (const line of splitLines(input, WORKBENCH_LINE_BYTES)) {
      const work = this.#take(line).finally(() => underWay.delete(work));
      underWay.add(work);
    }
    await Promise.all(underWay);
  }

  async #take(text: string): Promise<void> {
    const line = parseLine(text);
    // A line that is none of the protocol has no id to answer to.
    if (line === undefined || 'gone' in line) return;
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

function toFailure(error: unknown): { readonly code: string; readonly message: string; readonly hint?: string } {
  const known = findEngineError(error);
  if (known === undefined) return { code: 'E_INTERNAL', message: error instanceof Error ? error.message : String(error) };
  const { code, message, hint } = known;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/**
 * The images that a build begins with or copies from: those that are here, else pulled.
 *
 * Knows: when to ask a registry, and that each is asked for once a build.
 * Does not know: registries (packages/registry-client).
 */
import type { EngineImage } from '@slipway/engine';
import { EngineError } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { hostPlatform, parseReference } from '@slipway/oci';
import type { BuilderParts, BuildRequest } from './build-request.ts';
import { atLine, stepError } from './failure.ts';

export class BaseImages {
  readonly #parts: BuilderParts;
  readonly #request: BuildRequest;
  readonly #parent: SpanContext;
  readonly #pulls = new Map<string, Promise<void>>();

  constructor(parts: BuilderParts, request: BuildRequest, parent: SpanContext) {
    this.#parts = parts;
    this.#request = request;
    this.#parent = parent;
  }

  /** @throws what the pull throws, with the line; `not-found` / `E_IMAGE_UNKNOWN` */
  async find(reference: string, line: number): Promise<EngineImage> {
    const here = await this.#parts.images.find(reference);
    if (here !== undefined && !this.#request.pull) return here;
    const pulling = this.#pulls.get(reference) ?? this.#pull(reference);
    this.#pulls.set(reference, pulling);
    await pulling.catch((error: unknown) => {
      throw atLine(line, error);
    });
    const pulled = await this.#parts.images.find(reference);
    if (pulled !== undefined) return pulled;
    const message = `line ${line}: No such image: ${reference.slice(0, 200)}`;
    throw new EngineError('not-found', message, { code: 'E_IMAGE_UNKNOWN', op: 'build.from', subject: reference.slice(0, 200) });
  }

  async #pull(reference: string): Promise<void> {
    const { onOutput, signal, credentials } = this.#request;
    onOutput(`Pulling ${reference}\n`);
    const known = credentials?.get(parseReference(reference).domain);
    const options = { ...(signal === undefined ? {} : { signal }), ...(known === undefined ? {} : { credentials: known }) };
    const { digest } = await this.#parts.engine.pullImage(reference, options, this.#parent);
    onOutput(`Digest: ${digest}\n`);
  }
}

/** @throws `invalid-argument` / `E_BUILD_STEP` for a base image of another machine */
export function requireOwnPlatform(platform: string | undefined, line: number): void {
  const { os, architecture } = hostPlatform(process.arch);
  if (platform === undefined || platform === os || platform === `${os}/${architecture}`) return;
  throw stepError(line, `FROM --platform=${platform.slice(0, 100)}: images are built for ${os}/${architecture} only here`);
}

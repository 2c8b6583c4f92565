/**
 * A whole registry: a directory, an address, and the housekeeping between requests.
 *
 * Knows: what belongs together.
 * Does not know: who asked for it.
 */
import { EngineError } from '@slipway/errors';
import { listening } from '@slipway/kernel';
import type { CheckPassword } from './access.ts';
import { parseListenAddress } from './listen-address.ts';
import { createRegistryServer, type RegistryServerOptions } from './server.ts';
import { openLayoutImages } from './store/layout-images.ts';
import { openRegistryStore } from './store/open-registry-store.ts';
import { withFixedImages } from './store/with-fixed-images.ts';

export interface ServeOptions {
  readonly root: string;
  /** An OCI layout whose images the registry has, too, and does not let go of. */
  readonly images?: string;
  /** `HOST:PORT`; port 0 takes a free one. */
  readonly listen: string;
  readonly checkPassword?: CheckPassword;
  readonly readOnly?: boolean;
  readonly onInternalError: (error: unknown) => void;
  readonly onRequest?: NonNullable<RegistryServerOptions['onRequest']>;
}

export interface RunningRegistry {
  /** `HOST:PORT` as it came out. */
  readonly address: string;
  /** Whether others than this machine's programs reach it. */
  readonly isPublic: boolean;
  /** Ends every connection. */
  close(): Promise<void>;
}

const TIDY_EVERY_MS = 10 * 60_000;

/** @throws EngineError `invalid-argument` / `E_LISTEN_ADDRESS`, `failed-precondition` / `E_ADDRESS_IN_USE` */
export async function serveRegistry({ root, images, listen, ...options }: ServeOptions): Promise<RunningRegistry> {
  const { host, port } = parseListenAddress(listen);
  const fixed = images === undefined ? undefined : await openLayoutImages(images);
  const store = await openRegistryStore({ root });
  const backend = fixed === undefined ? store : withFixedImages(store, fixed);
  const http = createRegistryServer({ backend, ...options });
  const tidy = () => void store.tidy().catch(options.onInternalError);
  const timer = setInterval(tidy, TIDY_EVERY_MS).unref();
  const close = async () => {
    clearInterval(timer);
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
    await store.close();
  };
  try {
    await listening(http, { port, host, onTrouble: options.onInternalError });
  } catch (cause) {
    await close();
    throw cannotListen(listen, cause);
  }
  const taken = http.address();
  if (taken === null || typeof taken === 'string') throw new TypeError('a server on an address has one');
  return { address: `${host.includes(':') ? `[${host}]` : host}:${taken.port}`, isPublic: !isLoopback(taken.address), close };
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

function cannotListen(listen: string, cause: unknown): EngineError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new EngineError('failed-precondition', `cannot listen on ${listen}: ${why}`, {
    code: 'E_ADDRESS_IN_USE',
    op: 'registry.listen',
    subject: listen,
    hint: 'Stop what listens there, or take another address.',
    cause,
  });
}

/** A registry of ours on the loopback address, over a directory that goes with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRegistryServer,
  openRegistryStore,
  type RegistryServerOptions,
  type RegistryStore,
  type RegistryStoreOptions,
} from '../index.ts';

export interface TestRegistry {
  readonly origin: string;
  readonly root: string;
  readonly store: RegistryStore;
  /** What should never have happened. */
  readonly internalErrors: unknown[];
  close(): Promise<void>;
}

type Options = Partial<Omit<RegistryServerOptions, 'backend'>> & Partial<RegistryStoreOptions>;

export async function startRegistry({
  uploads,
  root = mkdtempSync(join(tmpdir(), 'registry-')),
  ...options
}: Options = {}): Promise<TestRegistry> {
  const store = await openRegistryStore({ root, ...(uploads === undefined ? {} : { uploads }) });
  const internalErrors: unknown[] = [];
  const http = createRegistryServer({ backend: store, onInternalError: (error) => internalErrors.push(error), ...options });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    root,
    store,
    internalErrors,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

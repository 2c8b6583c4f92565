/**
 * `docker://HOST/PATH[:TAG|@DIGEST]`: a registry.
 *
 * Knows: how skopeo's flags and files become what packages/registry-client asks for.
 * Does not know: the protocol.
 */
import { createReadStream, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Digest, digestOf, formatReference, isObject, type Reference } from '@slipway/oci';
import { RegistryClient, type Repository } from '@slipway/registry-client';
import { type Credentials, readCredentials, registryDomain } from '@slipway/registry-client/credentials';
import { DockerConfig } from '@slipway/registry-client/docker-config';
import { readProxyRules } from '@slipway/registry-client/proxy';
import { UsageError } from '../flags.ts';
import { fileBytes, keep } from './blobs.ts';
import type { DestinationOptions, ImageDestination, ImageSource, SideOptions, Surroundings } from './transport.ts';

export function openRegistrySource(reference: Reference, side: SideOptions, surroundings: Surroundings): ImageSource {
  const { repository, close } = lazily(reference, 'pull', side, surroundings);
  return {
    name: `${reference.domain}/${reference.path}`,
    manifest: async (digest) => {
      const { bytes, descriptor } = await (await repository()).manifest(digest ?? nameIn(reference));
      return { bytes, mediaType: descriptor.mediaType };
    },
    blob: async (descriptor) => {
      const path = surroundings.temporary();
      await (await repository()).fetchBlob(descriptor, { openSink: () => openFileSink(path) });
      return fileBytes(path);
    },
    tags: async () => await (await repository()).tags(),
    close,
  };
}

export function openRegistryDestination(reference: Reference, options: DestinationOptions, surroundings: Surroundings): ImageDestination {
  const { repository, close } = lazily(reference, 'push', options, surroundings);
  return {
    accepts: ['oci', 'docker'],
    layers: options.packing,
    hasBlob: async (descriptor) => await (await repository()).hasBlob(descriptor),
    putBlob: async (descriptor, bytes) => {
      // A part that the registry did not take is sent again, so the bytes have to be somewhere.
      const { path } = await keep(bytes, surroundings.temporary());
      const read = (start: number, length: number) => createReadStream(path, { start, end: start + length - 1, highWaterMark: 256 * 1024 });
      await (await repository()).pushBlob(descriptor, { read });
    },
    putManifest: async ({ bytes, mediaType }, child) => {
      const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
      if (child === undefined && reference.digest !== undefined && reference.digest !== descriptor.digest)
        throw new UsageError(`the image's digest there would be ${descriptor.digest}, not the one of ${formatReference(reference)}`);
      await (await repository()).putManifest(child ?? nameIn(reference), bytes, descriptor);
    },
    commit: async () => undefined,
    close,
  };
}

/** As docker's registry wants it: what the tag names is deleted, and every tag of it with it. */
export async function deleteFromRegistry(reference: Reference, side: SideOptions, surroundings: Surroundings): Promise<void> {
  const { repository, close } = lazily(reference, 'push', side, surroundings);
  try {
    const { descriptor } = await (await repository()).manifest(nameIn(reference));
    await (await repository()).deleteManifest(descriptor.digest);
  } finally {
    await close();
  }
}

function nameIn({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}

/** Opened by the first question, so that a mistake on the command line costs no connection. */
function lazily(reference: Reference, action: 'pull' | 'push', side: SideOptions, surroundings: Surroundings) {
  let opened: Promise<Repository> | undefined;
  return {
    repository: () => {
      opened ??= openRepository(reference, action, side, surroundings);
      return opened;
    },
    close: async () => {
      const repository = await opened?.catch(() => undefined);
      repository?.[Symbol.dispose]();
    },
  };
}

async function openRepository(
  reference: Reference,
  action: 'pull' | 'push',
  side: SideOptions,
  surroundings: Surroundings,
): Promise<Repository> {
  const client = new RegistryClient({
    userAgent: surroundings.userAgent,
    proxies: readProxyRules(surroundings.environment),
    insecureRegistries: side.tlsVerify ? [] : [reference.domain],
    ...(side.certificates === undefined ? {} : { certificatesDirectory: asDockers(side.certificates, reference.domain, surroundings) }),
  });
  return await client.open(reference, action, { credentials: await findCredentials(reference.domain, side, surroundings) });
}

/** skopeo's directory holds one registry's certificates, docker's a directory for each registry. */
function asDockers(directory: string, domain: string, { temporary }: Surroundings): string {
  const root = temporary();
  mkdirSync(root);
  symlinkSync(resolve(directory), `${root}/${domain}`);
  return root;
}

/** From the flags, the file they name, skopeo's own file, docker's: the first that has some. */
async function findCredentials(domain: string, side: SideOptions, { environment }: Surroundings): Promise<Credentials | undefined> {
  if (side.anonymous) return undefined;
  if (side.credentials !== undefined) {
    const colon = side.credentials.indexOf(':');
    if (colon < 1) throw new UsageError('credentials are USERNAME:PASSWORD');
    return { username: side.credentials.slice(0, colon), password: side.credentials.slice(colon + 1) };
  }
  const runtime = environment['XDG_RUNTIME_DIR'];
  const file =
    side.authFile ?? environment['REGISTRY_AUTH_FILE'] ?? (runtime === undefined ? undefined : `${runtime}/containers/auth.json`);
  const found = file === undefined ? undefined : fromFile(file, domain, side.authFile !== undefined);
  if (found !== undefined || side.authFile !== undefined) return found;
  const directory = environment['DOCKER_CONFIG'] ?? `${environment['HOME'] ?? '/root'}/.docker`;
  return await new DockerConfig({ directory }).find(domain);
}

function fromFile(path: string, domain: string, isNamed: boolean): Credentials | undefined {
  if (!existsSync(path)) {
    if (isNamed) throw new UsageError(`checking authfile: stat ${path}: no such file or directory`);
    return undefined;
  }
  const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const auths = isObject(document) && isObject(document['auths']) ? document['auths'] : {};
  const key = Object.keys(auths).find((name) => registryDomain(name) === registryDomain(domain));
  return key === undefined ? undefined : readCredentials(auths[key]);
}

/** Takes a blob's bytes into a file; whoever reads the file checks them. */
async function openFileSink(path: string) {
  const file = await open(path, 'w', 0o600);
  let offset = 0;
  const close = async () => void (await file.close());
  return {
    get offset() {
      return offset;
    },
    write: async (bytes: Uint8Array) => {
      await file.writeFile(bytes);
      offset += bytes.byteLength;
    },
    commit: async (): Promise<Digest | undefined> => undefined,
    abort: async () => {
      await file.truncate(0);
      offset = 0;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** How a test gets things into a registry when pushing is not what it is about. */
import { expect } from 'vitest';
import type { TestBlob, TestManifest } from './images.ts';
import { type Reply, send } from './registry-client.ts';

export async function startUpload(origin: string, repository: string): Promise<string> {
  const reply = await send(origin, 'POST', `/v2/${repository}/blobs/uploads/`, { body: '' });
  expect(reply.status).toBe(202);
  return locationOf(reply);
}

export async function pushBlob(origin: string, repository: string, { bytes, descriptor }: TestBlob): Promise<Reply> {
  const location = await startUpload(origin, repository);
  const reply = await send(origin, 'PUT', withDigest(location, descriptor.digest), {
    body: bytes,
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  expect(reply.status).toBe(201);
  return reply;
}

export function putManifest(origin: string, repository: string, reference: string, { bytes, mediaType }: TestManifest): Promise<Reply> {
  return send(origin, 'PUT', `/v2/${repository}/manifests/${reference}`, { body: bytes, headers: { 'Content-Type': mediaType } });
}

/** Blobs first, then the manifest under `reference`, or under its digest. */
export async function pushManifest(
  origin: string,
  repository: string,
  manifest: TestManifest,
  reference = manifest.digest,
): Promise<Reply> {
  for (const blob of manifest.blobs) await pushBlob(origin, repository, blob);
  const reply = await putManifest(origin, repository, reference, manifest);
  expect(reply.status).toBe(201);
  return reply;
}

export function locationOf({ headers }: Reply): string {
  expect(headers.location).toBeDefined();
  return String(headers.location);
}

/** Registries put state of their own into a session's address; the digest goes beside it. */
export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

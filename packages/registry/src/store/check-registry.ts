/**
 * `slipway store check` of a registry: its store held against what has to be true of it, without changing a byte.
 *
 * A manifest whose blobs a client has deleted is no fault: the protocol allows it.
 *
 * Knows: what every row needs, and what no row speaks of.
 * Does not know: where a registry listens, or whether one is running.
 */
import { BlobDirectory, BlobReading, type ContentListing, listContent, lookTwice } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import { statStored } from '@slipway/kernel';
import { type Digest, isDigest, MAX_MANIFEST_BYTES } from '@slipway/oci';
import { readManifestFacts } from './manifest-facts.ts';
import { type RegistryRecords, readRegistryRecords } from './registry-records.ts';

/**
 * - `record-damaged`: SQLite finds its own file wrong, or a row is none of ours
 * - `blob-corrupt`: the bytes are no longer those of the digest
 * - `blob-missing`: a repository has a blob or manifest whose bytes are not here
 * - `blob-size`: a manifest is as long as its row does not say
 * - `document-invalid`: a manifest that cannot be read
 */
export type RegistryFaultCode = 'record-damaged' | 'blob-corrupt' | 'blob-missing' | 'blob-size' | 'document-invalid';

/** Tidying removes `blob-unneeded` after a day, a start `ingest`; what `file-unknown` is stays until somebody removes it. */
export type RegistryLeftoverCode = 'blob-unneeded' | 'ingest' | 'file-unknown';

export interface RegistryFinding<Code extends string> {
  readonly code: Code;
  /** Digest, or path below the root. */
  readonly subject: string;
  /** One sentence without a full stop. */
  readonly message: string;
}

export interface RegistryReport {
  readonly counted: {
    readonly repositories: number;
    readonly manifests: number;
    readonly tags: number;
    readonly blobs: number;
    readonly blobBytes: number;
    readonly ingests: number;
  };
  readonly faults: readonly RegistryFinding<RegistryFaultCode>[];
  readonly leftovers: readonly RegistryFinding<RegistryLeftoverCode>[];
}

const RECORD = 'registry.db';

/** Whether a registry keeps its store below `root`. */
export async function isRegistryRoot(root: string): Promise<boolean> {
  return (await statStored(`${root}/${RECORD}`)) !== undefined;
}

/** Works beside the registry that uses the store, and without one. @throws SQLite's own errors for a record that cannot be opened */
export async function checkRegistry(
  root: string,
  { skipContents = false }: { readonly skipContents?: boolean } = {},
): Promise<RegistryReport> {
  const reading = new BlobReading(`${root}/content`);
  return lookTwice(async () => {
    // Records before what they name: what is written in the other order is then there.
    const records = readRegistryRecords(`${root}/${RECORD}`);
    const content = await listContent(`${root}/content`);
    const corrupt = skipContents ? new Set<Digest>() : await reading.corruptOf(content.blobs.keys());
    const documents = await findInvalidDocuments(root, records, { content, corrupt });
    return {
      counted: count(records, content),
      faults: [...judgeRecords(records, content), ...[...corrupt].map(corruptBlob), ...documents],
      leftovers: findLeftovers(records, content),
    };
  });
}

const corruptBlob = (subject: string) => ({ code: 'blob-corrupt', subject, message: 'its bytes no longer match its digest' }) as const;

function judgeRecords({ links, manifests, faults }: RegistryRecords, { blobs }: ContentListing): RegistryFinding<RegistryFaultCode>[] {
  const sizeOf = (digest: string) => (isDigest(digest) ? blobs.get(digest)?.sizeBytes : undefined);
  const missing = [...links, ...manifests].filter(({ digest }) => sizeOf(digest) === undefined);
  return [
    ...faults.map((message) => ({ code: 'record-damaged', subject: RECORD, message }) as const),
    ...missing.map(({ repository, digest }) => ({ code: 'blob-missing', subject: digest, message: `${repository} has it` }) as const),
    ...manifests.flatMap(({ repository, digest, sizeBytes }) => {
      const size = sizeOf(digest);
      const message = `it has ${size} bytes, ${repository} says ${sizeBytes}`;
      return size === undefined || size === sizeBytes ? [] : [{ code: 'blob-size', subject: digest, message } as const];
    }),
  ];
}

async function findInvalidDocuments(
  root: string,
  { manifests }: RegistryRecords,
  { content, corrupt }: { readonly content: ContentListing; readonly corrupt: ReadonlySet<Digest> },
): Promise<RegistryFinding<RegistryFaultCode>[]> {
  const reader = new BlobDirectory(`${root}/content`);
  const found: RegistryFinding<RegistryFaultCode>[] = [];
  for (const { repository, digest, mediaType } of manifests) {
    if (!isDigest(digest) || !content.blobs.has(digest) || corrupt.has(digest)) continue;
    try {
      readManifestFacts(await reader.read(digest, MAX_MANIFEST_BYTES), mediaType);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      found.push({ code: 'document-invalid', subject: digest, message: `${repository}: ${error.message}` });
    }
  }
  return found;
}

function findLeftovers({ links, manifests }: RegistryRecords, content: ContentListing): RegistryFinding<RegistryLeftoverCode>[] {
  const wanted = new Set<string>([...links, ...manifests].map(({ digest }) => digest));
  const left = (code: RegistryLeftoverCode, message: string) => (subject: string) => ({ code, subject, message });
  return [
    ...[...content.blobs.keys()].filter((digest) => !wanted.has(digest)).map(left('blob-unneeded', 'no repository has it')),
    ...content.ingests.map(({ name }) => `content/ingests/${name}`).map(left('ingest', 'an upload that has not ended')),
    ...content.strangers.map((path) => `content/${path}`).map(left('file-unknown', 'it is no blob')),
  ];
}

function count({ links, manifests, tags }: RegistryRecords, { blobs, ingests }: ContentListing): RegistryReport['counted'] {
  return {
    repositories: new Set([...links, ...manifests].map(({ repository }) => repository)).size,
    manifests: manifests.length,
    tags,
    blobs: blobs.size,
    blobBytes: [...blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ingests: ingests.length,
  };
}

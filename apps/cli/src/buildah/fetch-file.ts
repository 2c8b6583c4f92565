/**
 * One file from an http or https address.
 *
 * Knows: that the other side may send without end, or something else than was promised.
 * Does not know: what becomes of the file.
 */
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../flags.ts';

/** Nothing that belongs into a layer is larger. */
const MAX_BYTES = 4 * 1024 ** 3;

export interface FetchOptions {
  /** A directory to be made. */
  readonly work: string;
  /** `sha256:…`. */
  readonly checksum: string | undefined;
}

/** @throws UsageError for another answer than 200, too many bytes, or other bytes than the checksum says */
export async function fetchToFile(
  url: string,
  { work, checksum }: FetchOptions,
): Promise<{ readonly path: string; readonly name: string }> {
  const name = basename(new URL(url).pathname);
  if (name === '') throw new UsageError(`${url}: it ends with no file name`);
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw new UsageError(`--checksum ${checksum}: write sha256: and 64 hexadecimal digits`);
  mkdirSync(work);
  const path = join(work, 'fetched');
  const answer = await fetch(url).catch((error: Error & { cause?: Error }) => {
    throw new UsageError(`${url}: ${error.cause?.message ?? error.message}`);
  });
  if (answer.status !== 200 || answer.body === null)
    throw new UsageError(`${url}: the server answers ${answer.status} ${answer.statusText}`);
  const hash = createHash('sha256');
  const body = answer.body;
  const bounded = async function* () {
    let size = 0;
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > MAX_BYTES) throw new UsageError(`${url}: it has more than ${MAX_BYTES} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(bounded, createWriteStream(path, { mode: 0o600 }));
  const found = `sha256:${hash.digest('hex')}`;
  if (checksum !== undefined && found !== checksum) throw new UsageError(`${url}: its bytes have the digest ${found}, not ${checksum}`);
  const modified = new Date(answer.headers.get('last-modified') ?? '');
  if (!Number.isNaN(modified.getTime())) await utimes(path, modified, modified);
  return { path, name };
}

/**
 * `ADD https://…`: a file of the web as a member of a layer. It is fetched by every build, and what it holds decides whether the step is done again.
 *
 * Knows: how the file is called and what its digest has to be.
 * Does not know: where may be fetched from (packages/registry-client).
 */
import { createHash } from 'node:crypto';
import { openSpoolFile, type SpoolFile } from '@slipway/kernel/trees';
import { fetchFile } from '@slipway/registry-client/fetch-file';
import type { BuildScope } from './build-scope.ts';
import { type CopyMember, type CopyTo, ROOT } from './copy.ts';
import { atLine, stepError } from './failure.ts';
import { cleanPath } from './file-tree.ts';
import { madeFile } from './made-files.ts';

const MAX_FILE_BYTES = 4 * 1024 ** 3;
const FETCH_TIMEOUT_MS = 15 * 60_000;
/** As docker has it, for those who do not say `--chmod`. */
const FILE_MODE = 0o600;
const GIT = /^(git|ssh):\/\/|^git@|^https?:\/\/[^?#]*\.git(#.*)?$/;

/** True for what is not in the context. @throws EngineError `invalid-argument` / `E_BUILD_STEP` for repositories */
export function isRemote(source: string, line: number): boolean {
  if (GIT.test(source)) throw stepError(line, `ADD ${source.slice(0, 200)}: repositories are not fetched`, 'clone it into the context');
  return /^[a-z]+:\/\//.test(source);
}

/** @param checksum `sha256:…` @throws EngineError as fetchFile, naming the line; `invalid-argument` / `E_BUILD_STEP` */
export async function remoteMember(
  scope: BuildScope,
  source: string,
  to: CopyTo & { readonly checksum?: string | undefined },
): Promise<CopyMember> {
  const { line, checksum } = to;
  const url = URL.parse(source);
  if (url === null) throw stepError(line, `ADD ${source.slice(0, 200)}: this is no address`);
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw stepError(line, '--checksum is not sha256:… of 64 hexadecimal digits');
  const path = pathOf(url, to);
  const spool = await openSpoolFile(scope.parts.directory);
  scope.closeLater(() => spool.close());
  const { digest, modifiedSeconds } = await fetchInto(spool, url, scope).catch((error: unknown) => {
    throw atLine(line, error);
  });
  if (checksum !== undefined && checksum !== `sha256:${digest}`)
    throw stepError(line, `ADD ${source.slice(0, 200)}: its digest is sha256:${digest}, and --checksum says ${checksum}`);
  const member = madeFile({ path, text: '', owner: to.owner ?? ROOT, mode: to.mode ?? FILE_MODE, mtime: modifiedSeconds ?? 0 });
  const node = { ...member.node, digest, entry: { ...member.node.entry, sizeBytes: spool.sizeBytes } };
  return { path, node, content: () => spool.read(0, spool.sizeBytes) };
}

/** The last part of the address names the file in a directory. */
function pathOf({ pathname }: URL, { destination, isDirectory, line }: CopyTo): string {
  if (!isDirectory) return cleanPath(destination);
  const name = decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
    throw stepError(line, 'the address ends with no file name', 'name the file in the destination');
  return cleanPath(`${destination}/${name}`);
}

async function fetchInto(
  spool: SpoolFile,
  url: URL,
  { parts, request }: BuildScope,
): Promise<{ readonly digest: string; readonly modifiedSeconds?: number }> {
  const hash = createHash('sha256');
  const fetched = await fetchFile(url, {
    allowedHosts: parts.addHosts ?? [],
    proxies: parts.proxies,
    maxBytes: MAX_FILE_BYTES,
    timeoutMs: FETCH_TIMEOUT_MS,
    signal: request.signal,
    write: async (bytes) => {
      hash.update(bytes);
      await spool.append(bytes);
    },
  });
  return { digest: hash.digest('hex'), ...fetched };
}

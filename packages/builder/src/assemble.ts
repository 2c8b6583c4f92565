/**
 * An image from files and directories, without a Dockerfile and without an engine.
 *
 * Every layer is read by a worker of its own and packed beside the others. What is not said is not taken from the host: owners are root,
 * modes are plain, times are one time, so that the same files give the same bytes on every machine.
 *
 * Knows: what becomes of a file's rights and times.
 * Does not know: command lines, or where the archive goes.
 */
import { EngineError } from '@slipway/errors';
import { type NewLayer, openArchiveMaker } from '@slipway/images';
import type { Digest, ExecutionDefaults, Platform } from '@slipway/oci';
import { type CopyMember, copyLayer, findSources, planCopy } from './copy.ts';
import { cleanPath, type FileTree } from './file-tree.ts';
import { ancestors, madeDirectory } from './made-files.ts';
import { readPackedTree } from './packed-tree.ts';

/** A file, or the content of a directory. */
export interface AssembledFiles {
  /** Absolute path on the host. */
  readonly source: string;
  /** Absolute path in the image; with a slash at the end, a file keeps its name. */
  readonly destination: string;
  /** Default: 0. */
  readonly uid?: number;
  /** Default: `uid`. */
  readonly gid?: number;
  /** Permission bits of files and directories alike. Default: 0755 for directories and programs, else 0644. */
  readonly mode?: number;
}

export interface AssembleRequest {
  /** Bottom layer first; each from one or more places. */
  readonly layers: readonly (readonly AssembledFiles[])[];
  readonly config: Partial<ExecutionDefaults>;
  readonly platform: Platform;
  /** As typed. */
  readonly names: readonly string[];
  /** The time of everything, in seconds since 1970. Default: 0. */
  readonly createdSeconds?: number;
  /** An existing, empty directory for what is being made; removed by the caller, once the archive has been read. */
  readonly directory: string;
}

/**
 * Assembles one image.
 *
 * @returns its id, and an archive that `docker load` takes: OCI layout and docker-archive in one
 * @throws EngineError `not-found` / `E_PATH_NOT_FOUND`; `invalid-argument` / `E_ASSEMBLE`, `E_REFERENCE_INVALID`; `unsupported` / `E_LAYER_PACK`
 */
export async function assembleImage(
  request: AssembleRequest,
): Promise<{ readonly id: Digest; readonly archive: AsyncIterable<Uint8Array> }> {
  const { layers, config, platform, names, createdSeconds = 0, directory } = request;
  if (layers.length === 0) throw refuse('an image needs at least one layer');
  const maker = await openArchiveMaker(directory);
  const made: readonly NewLayer[] = await Promise.all(
    layers.map(async (places) => {
      const trees: FileTree[] = [];
      try {
        const members = await membersOf(places, { directory, createdSeconds, trees });
        return await maker.addLayer(copyLayer(members, undefined));
      } finally {
        for (const tree of trees) await tree.close();
      }
    }),
  );
  const created = new Date(createdSeconds * 1000).toISOString();
  const history = layers.map((places) => ({
    created,
    createdBy: `assemble ${places.map(({ destination }) => destination).join(' ')}`,
    emptyLayer: false,
  }));
  const defaults: ExecutionDefaults = { exposedPorts: [], env: [], volumes: [], labels: {}, ...config };
  return maker.finish({ config: { ...platform, created, config: defaults, diffIds: [], history }, layers: made, names });
}

interface Making {
  readonly directory: string;
  readonly createdSeconds: number;
  /** To be closed once the layer has been packed. */
  readonly trees: FileTree[];
}

async function membersOf(places: readonly AssembledFiles[], making: Making): Promise<readonly CopyMember[]> {
  const parts = await Promise.all(places.map((place) => membersOfPlace(place, making)));
  const members = new Map<string, CopyMember>();
  for (const member of parts.flat()) {
    for (const path of ancestors(member.path))
      if (!members.has(path)) members.set(path, madeDirectory(path, { mtime: making.createdSeconds }));
    members.set(member.path, member);
  }
  return [...members.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function membersOfPlace(place: AssembledFiles, { directory, createdSeconds, trees }: Making): Promise<readonly CopyMember[]> {
  const { source, destination, uid = 0, gid = uid, mode } = place;
  if (!source.startsWith('/') || !destination.startsWith('/')) throw refuse(`${source}:${destination} are not both absolute`);
  const clean = cleanPath(source);
  const tree = await readPackedTree({ kind: 'tree', root: '/', part: { path: `/${clean}`, follow: true } }, { directory });
  trees.push(tree);
  const name = clean.slice(clean.lastIndexOf('/') + 1);
  const to = { destination, isDirectory: destination.endsWith('/'), owner: { uid, gid }, line: 0, ...(mode === undefined ? {} : { mode }) };
  return planCopy(tree, findSources(tree, [name], 0), to).map((member) => {
    const { entry } = member.node;
    const isProgram = entry.type === 'directory' || (entry.mode & 0o111) !== 0;
    const plain = { ...entry, mode: mode ?? (isProgram ? 0o755 : 0o644), mtime: createdSeconds, xattrs: new Map<string, Uint8Array>() };
    return { ...member, node: { ...member.node, entry: plain } };
  });
}

function refuse(message: string): EngineError {
  return new EngineError('invalid-argument', message, { code: 'E_ASSEMBLE', op: 'image.assemble' });
}

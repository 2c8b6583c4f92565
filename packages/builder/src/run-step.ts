/**
 * One `RUN`: a container on what the stage is so far, its output, and the layer of what it wrote.
 *
 * Knows: the container's life, and the directories that its mounts need.
 * Does not know: Dockerfiles.
 */
import { createHash, randomUUID } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import type { NewLayer } from '@slipway/images';
import type { SpanContext } from '@slipway/journal';
import { ensurePrivateDirectory, openDirectoryHandle, removeTree } from '@slipway/kernel';
import { openSpoolFile } from '@slipway/kernel/trees';
import { unpackLayer } from '@slipway/layers';
import type { BuildScope } from './build-scope.ts';
import { copyLayer, findSources, planCopy } from './copy.ts';
import type { FileTree } from './file-tree.ts';
import type { RunMount } from './run-mounts.ts';
import type { StageState } from './stage-state.ts';

export interface RunRequest {
  readonly state: StageState;
  readonly args: readonly string[];
  /** `NAME=value` of build arguments, beside the image's own environment. */
  readonly env: readonly string[];
  readonly mounts: readonly RunMount[];
  /** The tree that a bind mount names: the context, a stage, an image. */
  readonly treeOf: (mount: RunMount & { type: 'bind' }) => Promise<{ readonly tree: FileTree; readonly source: string }>;
  readonly line: number;
  readonly parent: SpanContext;
}

interface Bind {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly createSource: false;
}

/** Directories that are mounted for one step begin so. */
export const MOUNT_PREFIX = 'mount-';

const NO_LIMITS = {
  hostNamespaces: [],
  autoRemove: false,
  privileged: false,
  readonlyRootfs: false,
  capAdd: [],
  capDrop: [],
  noNewPrivileges: false,
  seccomp: 'default',
  resources: {},
  ulimits: [],
  sysctls: {},
  extraHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  groupAdd: [],
} as const;

/** @throws EngineError `failed-precondition` / `E_BUILD_COMMAND` when the command ends with anything but 0 */
export async function runStep(scope: BuildScope, run: RunRequest): Promise<NewLayer | undefined> {
  const { engine, images } = scope.parts;
  const { state, args, env, mounts, line, parent } = run;
  await images.making.unpack(state.layers);
  const { config, history, created, platform } = state;
  const lent = images.lend({ config: { ...platform, config, history, created, diffIds: [] }, layers: state.layers, names: [] });
  const made: string[] = [];
  let container: string | undefined;
  try {
    const binds = await bindsOf(scope, run, made);
    const tmpfs = Object.fromEntries(
      mounts.flatMap((mount) => (mount.type === 'tmpfs' ? [[mount.target, tmpfsOptions(mount)] as const] : [])),
    );
    const host = { ...NO_LIMITS, binds, tmpfs, network: scope.request.network };
    const streams = { tty: false, openStdin: false, stdinOnce: false };
    const request = { image: lent.id, entrypoint: args, command: [], env, ...streams, labels: {}, host, api: 'build' };
    container = (await engine.create(request, parent)).id;
    const code = await runToEnd(scope, container, parent);
    if (code !== 0) throw commandFailed(line, args, code);
    const mountPoints = [...binds.map(({ destination }) => destination), ...Object.keys(tmpfs), ...STANDARD_MOUNTS];
    // Where the layer says all of it, what the container wrote is the layer's snapshot as it stands.
    const asItStands = scope.latestMtime === undefined;
    const latest = scope.latestMtime === undefined ? {} : { latestMtime: scope.latestMtime };
    const packed = await images.making.packRootfs(container, { mountPoints, settle: asItStands, ...latest });
    const { layer, warnings } = packed;
    for (const warning of warnings) scope.request.onOutput(`warning: ${warning}\n`);
    if (layer !== undefined && asItStands && warnings.length === 0)
      await images.making.adoptRootfs(container, [...state.layers, layer], packed);
    return layer;
  } finally {
    lent.release();
    if (container !== undefined) await engine.remove(container, { force: true }, parent);
    for (const path of made) await removeTree(path);
  }
}

/** Where every container has something mounted. */
const STANDARD_MOUNTS = ['/proc', '/dev', '/sys', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

async function runToEnd({ parts: { engine }, request }: BuildScope, id: string, parent: SpanContext): Promise<number> {
  const attachment = await engine.attach(id, { stdin: false, stdout: true, stderr: true });
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  attachment.onOutput((stream, bytes) => request.onOutput(decoders[stream].decode(bytes, { stream: true })));
  const stop = () => void engine.remove(id, { force: true }).catch(() => undefined);
  request.signal?.addEventListener('abort', stop, { once: true });
  try {
    const ended = engine.wait(id, 'next-exit');
    ended.catch(() => undefined); // a start that fails is what is told
    await engine.start(id, parent);
    const { code } = await ended;
    await attachment.ended;
    request.signal?.throwIfAborted();
    return code;
  } finally {
    request.signal?.removeEventListener('abort', stop);
    attachment.close();
  }
}

async function bindsOf(scope: BuildScope, run: RunRequest, made: string[]): Promise<Bind[]> {
  const binds: Bind[] = [];
  for (const mount of run.mounts) {
    if (mount.type === 'tmpfs') continue;
    const source = mount.type === 'cache' ? await cacheDirectory(scope, mount) : await unpackedFiles(scope, run, mount, made);
    binds.push({ source, destination: mount.target, readOnly: mount.readOnly, createSource: false });
  }
  return binds;
}

/** One for each id, kept for later builds. */
async function cacheDirectory({ parts }: BuildScope, { id, uid, gid, mode }: RunMount & { type: 'cache' }): Promise<string> {
  const path = `${parts.directory}/cache/${createHash('sha256').update(`${id}\0${uid}\0${gid}\0${mode}`).digest('hex').slice(0, 32)}`;
  await ensurePrivateDirectory(`${parts.directory}/cache`);
  const handle = await openDirectoryHandle(path).catch(() => undefined);
  if (handle !== undefined) await handle.close();
  else await makeOwned(path, { uid, gid, mode });
  return path;
}

/** By the same worker that unpacks layers, which can set owners. */
async function makeOwned(path: string, owner: { readonly uid: number; readonly gid: number; readonly mode: number }): Promise<void> {
  const { tarEnd, tarMember } = await import('@slipway/layers');
  await ensurePrivateDirectory(path);
  await unpackTo(path, [tarMember({ name: './', type: 'directory', ...owner }), tarEnd()]);
}

async function unpackedFiles(scope: BuildScope, run: RunRequest, mount: RunMount & { type: 'bind' }, made: string[]): Promise<string> {
  const { tree, source } = await run.treeOf(mount);
  const directory = `${scope.parts.directory}/${MOUNT_PREFIX}${randomUUID()}`;
  made.push(directory);
  await ensurePrivateDirectory(directory, 0o755);
  const [path = ''] = findSources(tree, [source], run.line);
  const isDirectory = tree.isDirectory(path);
  const to = { destination: '/', isDirectory: true, owner: { uid: 0, gid: 0 }, line: run.line };
  await unpackTo(directory, copyLayer(planCopy(tree, [path], to), undefined));
  return isDirectory ? directory : `${directory}/${path.slice(path.lastIndexOf('/') + 1)}`;
}

async function unpackTo(directory: string, tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  const spool = await openSpoolFile(directory);
  try {
    for await (const bytes of tar) await spool.append(bytes);
    const options = { compression: 'none', expected: {}, target: directory, lowers: [], whiteouts: 'literal' } as const;
    await unpackLayer({ blob: spool, ...options });
  } finally {
    await spool.close();
  }
}

function tmpfsOptions({ sizeBytes }: RunMount & { type: 'tmpfs' }): string {
  return sizeBytes === undefined ? 'exec' : `exec,size=${sizeBytes}`;
}

function commandFailed(line: number, args: readonly string[], code: number): EngineError {
  const command = args.join(' ').slice(0, 300);
  return new EngineError('failed-precondition', `line ${line}: The command '${command}' returned a non-zero code: ${code}`, {
    code: 'E_BUILD_COMMAND',
    op: 'build.step',
    subject: String(line),
  });
}

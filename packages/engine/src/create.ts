/**
 * Creating a container: its name, its writable root, its bundle. Nothing runs.
 *
 * Knows: the order of the steps and how each is undone.
 * Does not know: how the spec is written (plan-spec.ts) or a root prepared (packages/images).
 */
import { EngineError, Rollback } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { ensureDirectory, ensurePrivateDirectory, findText, resolvePath, writeNewFile } from '@slipway/kernel';
import { formatSpecJson, planSeccompProfile, type RuntimeSpec } from '@slipway/oci';
import { emptyImage, prepareEmpty, requireLender, SCRATCH } from './borrowed-root.ts';
import type { ContainerRecord, ContainerRequest, Rootfs } from './container.ts';
import { planEtcFiles } from './etc-files.ts';
import { containerEvent, noteContainer } from './facts.ts';
import { readInLayers } from './layered-root.ts';
import { makeUpName, newContainerId, requireName } from './names.ts';
import type { EtcPaths } from './plan-mounts.ts';
import { outlineSpec, planSpec, type SpecOutline } from './plan-spec.ts';
import { type EngineContext, type EngineImage, shimDirectory } from './ports.ts';
import { resolveProcess } from './resolve-process.ts';
import { resolveUser } from './resolve-user.ts';
import { withRuntime } from './runtime-names.ts';

type NamedConfig = Pick<EngineImage, 'id' | 'config'>;

/** Largest /etc/resolv.conf worth copying. */
const RESOLV_CONF_LIMIT = 64 * 1024;

/**
 * Brings a container to `created`. Either everything of it exists afterwards or nothing does.
 *
 * @throws not-found / E_IMAGE_UNKNOWN; already-exists / E_NAME_TAKEN; invalid-argument for what can never work
 */
export async function createContainer(engine: EngineContext, request: ContainerRequest, parent?: SpanContext): Promise<{ id: string }> {
  return engine.tracer.span({ actor: 'engine', name: 'container.create', protocol: 'function call', parent, request }, async (span) => {
    engine.runtime.expectCreate(); // most are started at once
    const lender = request.rootOf === undefined ? undefined : requireLender(engine, request.rootOf);
    const wanted = lender === undefined ? request : { ...request, rootOf: lender.id };
    const image = await imageFor(engine, wanted, lender?.record);
    const record = planRecord(engine, withRuntime(wanted, engine.runtimes), image);
    // So that a bad limit or mount is refused before there is anything to undo.
    const outline = outlineSpec(record, etcPaths(engine, record.id));
    span.note({ container: record.id });
    const rollback = new Rollback();
    try {
      const container = await engine.containers.add(record);
      rollback.defer('forget the record', () => engine.containers.drop(container));
      const rootfs = lender?.record.rootfs ?? (await prepareRootfs(engine, record, span));
      rollback.defer('remove the snapshot', () => engine.images.removeRootfs(record.id));
      container.spec = await writeBundle(engine, outline, record, rootfs);
      await engine.containers.update(container, { rootfs, shimDir: shimDirectory(engine, record.id) });
      rollback.disarm();
      containerEvent(engine, container, 'create');
      noteContainer(engine, container);
      engine.layersChanged(record.id);
      span.note({ response: { id: record.id } });
      return { id: record.id };
    } catch (failure) {
      return await rollback.unwind(failure);
    }
  });
}

/** Of a container on another one's root, that one's. */
async function imageFor(engine: EngineContext, request: ContainerRequest, lender?: ContainerRecord): Promise<NamedConfig> {
  if (lender === undefined) return request.image === SCRATCH ? emptyImage() : requireImage(engine, request.image);
  const { imageConfig, imageId } = lender;
  if (imageConfig !== undefined) return { id: imageId, config: imageConfig };
  return { id: imageId, config: (await requireImage(engine, imageId)).config };
}

async function requireImage(engine: EngineContext, reference: string): Promise<EngineImage> {
  if (reference === '') throw refuse('invalid-argument', 'E_CONTAINER_CONFIG', 'no image specified', 'name an image');
  const image = await engine.images.find(reference);
  if (image !== undefined) return image;
  throw refuse('not-found', 'E_IMAGE_UNKNOWN', `No such image: ${reference.slice(0, 200)}`, 'see the image list for what is here');
}

/** Everything that can be refused without touching the host is refused here. */
function planRecord(engine: EngineContext, request: ContainerRequest, image: NamedConfig): ContainerRecord {
  const id = newContainerId();
  const isTaken = (name: string) => engine.containers.findByName(name) !== undefined;
  const name = request.name === undefined || request.name === '' ? makeUpName(isTaken) : requireName(request.name);
  const process = resolveProcess(request, image.config.config, id);
  return { id, name, request, process, imageId: image.id, createdAt: new Date().toISOString(), status: 'created' };
}

function etcPaths(engine: EngineContext, id: string): EtcPaths {
  const directory = engine.containers.directory(id);
  return { hosts: `${directory}/hosts`, hostname: `${directory}/hostname`, resolvConf: `${directory}/resolv.conf` };
}

async function prepareRootfs(engine: EngineContext, record: ContainerRecord, parent: SpanContext): Promise<Rootfs> {
  const init = { actor: 'store', name: 'snapshot.prepare', protocol: 'function call', container: record.id, parent } as const;
  return engine.tracer.span({ ...init, request: { key: record.id, image: record.imageId } }, async (span) => {
    const rootfs =
      record.request.image === SCRATCH
        ? await prepareEmpty(engine, record.id)
        : await engine.images.prepareRootfs(record.id, record.imageId);
    span.note({ response: { snapshotter: rootfs.snapshotter, mount: rootfs.mount, upper: rootfs.upperDirectory } });
    return rootfs;
  });
}

async function writeBundle(engine: EngineContext, outline: SpecOutline, record: ContainerRecord, rootfs: Rootfs): Promise<RuntimeSpec> {
  const directory = engine.containers.directory(record.id);
  const { host } = record.request;
  await requireBindSources(engine, record);
  const hostResolvConf = host.network === 'host' ? ((await findText('/etc/resolv.conf', { maxBytes: RESOLV_CONF_LIMIT })) ?? '') : '';
  const { domainname } = record.request;
  const names = { hostname: record.process.hostname, ...(domainname === undefined ? {} : { domainname }) };
  const files = planEtcFiles(names, host, hostResolvConf);
  const etc = etcPaths(engine, record.id);
  const mountpoint = rootfs.mount === undefined ? rootfs.upperDirectory : `${directory}/rootfs`;
  const user = resolveUser(record.process.user, readAccounts(record, rootfs), host.groupAdd);
  const spec = planSpec(outline, { user, rootfs: mountpoint, seccomp: planSeccompProfile(outline.bounding) });
  if (rootfs.mount !== undefined) await ensurePrivateDirectory(mountpoint, 0o755);
  writeNewFile(etc.hosts, files.hosts, 0o644);
  writeNewFile(etc.hostname, files.hostname, 0o644);
  writeNewFile(etc.resolvConf, files.resolvConf, 0o644);
  writeNewFile(`${directory}/config.json`, formatSpecJson(spec));
  return spec;
}

interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** Of the images that containers were last made of: an image is never changed, and a container has written nothing yet. */
const knownAccounts = new Map<string, AccountFiles>();
const KNOWN_ACCOUNTS = 32;
const KNOWN_BYTES = 64 * 1024;

/** The image's own account files, read without mounting or following anything out of them. */
function readAccounts({ imageId, request }: ContainerRecord, rootfs: Rootfs): AccountFiles {
  if (request.rootOf !== undefined) return readAccountFiles(rootfs); // what has been written there counts
  const known = knownAccounts.get(imageId);
  if (known !== undefined) return known;
  const files = readAccountFiles(rootfs);
  if (knownAccounts.size >= KNOWN_ACCOUNTS) knownAccounts.clear();
  if (files.passwd.length + files.group.length <= KNOWN_BYTES) knownAccounts.set(imageId, files);
  return files;
}

function readAccountFiles(rootfs: Rootfs): AccountFiles {
  const layers = [rootfs.upperDirectory, ...rootfs.lower.map((layer) => layer.directory).toReversed()];
  const read = (path: string) => {
    try {
      return readInLayers(layers, path) ?? '';
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw refuse(
        'invalid-argument',
        'E_USER_UNKNOWN',
        `the image's ${path} is unreasonably large: ${cause.message}`,
        'use another image',
      );
    }
  };
  return { passwd: read('/etc/passwd'), group: read('/etc/group') };
}

/**
 * Bind sources are host paths; whoever may use the engine's socket may name any of them, but not the engine's own state, which would
 * let a container rewrite its own configuration.
 */
async function requireBindSources(engine: EngineContext, record: ContainerRecord): Promise<void> {
  const own = [engine.paths.root, engine.paths.state];
  for (const bind of record.request.host.binds) {
    if (bind.createSource && (await resolvePath(bind.source)) === undefined) await ensureDirectory(bind.source);
    const real = await resolvePath(bind.source);
    if (real === undefined) {
      throw refuse('invalid-argument', 'E_CONTAINER_MOUNT', `bind source path does not exist: ${bind.source}`, 'make it first');
    }
    const inside = own.find((path) => real === path || real.startsWith(`${path}/`));
    if (inside !== undefined) {
      throw refuse(
        'permission-denied',
        'E_CONTAINER_MOUNT',
        `bind source ${bind.source} is the engine's own state`,
        'use another directory',
      );
    }
  }
}

function refuse(
  kind: 'invalid-argument' | 'not-found' | 'permission-denied',
  code: `E_${string}`,
  message: string,
  hint: string,
): EngineError {
  return new EngineError(kind, message, { code, op: 'container.create', hint });
}

/**
 * The image config: the JSON document whose digest is the image's id.
 *
 * Knows: its fields, their limits, and which labels an image may not bring along.
 * Does not know: how the fields become a runtime spec (packages/engine).
 */
import { type DiffId, isDigest } from './digest.ts';
import { FieldReader, isObject, type JsonObject, MAX_CONFIG_BYTES, parseJsonObject } from './document.ts';
import type { Platform } from './platform.ts';

/** @spec image-spec/config.md#properties */
export interface ImageConfig extends Platform {
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly config: ExecutionDefaults;
  /** Bottom layer first; as many as the manifest has layers. */
  readonly diffIds: readonly DiffId[];
  readonly history: readonly HistoryEntry[];
}

/** What a container of this image does unless told otherwise; docker's names in camel case. */
export interface ExecutionDefaults {
  /** `user`, `uid`, `user:group`, `uid:gid`; to be looked up inside the root file system. */
  readonly user?: string;
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** Paths inside the root file system; untrusted. */
  readonly volumes: readonly string[];
  readonly workingDir?: string;
  /** Reserved prefixes are already dropped, see {@link isReservedLabel}. */
  readonly labels: Readonly<Record<string, string>>;
  /** Name or number, e.g. `SIGTERM`. */
  readonly stopSignal?: string;
  /** Docker's form: `['CMD', …]`, `['CMD-SHELL', …]` or `['NONE']`; intervals in nanoseconds. */
  readonly healthcheck?: Healthcheck;
  /** Dockerfile instructions for builds on top of this image. */
  readonly onBuild?: readonly string[];
  /** What runs commands given as a line; absent: `/bin/sh -c`. */
  readonly shell?: readonly string[];
}

export interface Healthcheck {
  readonly test: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
}

/** One build step. @spec image-spec/config.md#properties */
export interface HistoryEntry {
  readonly created?: string;
  readonly createdBy?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True for a step that made no layer, such as `ENV`. */
  readonly emptyLayer: boolean;
}

const MAX_DIFF_IDS = 256;
const MAX_LABEL_BYTES = 1024 * 1024;
const RESERVED_LABELS = ['slipway.', 'io.slipway.', 'containerd.io/', 'io.containerd.', 'io.cri-containerd', 'io.kubernetes.'];

/** True for labels the engine and its neighbours act upon; an image is untrusted and may not set them. */
export function isReservedLabel(name: string): boolean {
  return RESERVED_LABELS.some((prefix) => name.startsWith(prefix));
}

/** @throws EngineError `invalid-argument` / `E_DOCUMENT_INVALID` with every issue by path */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = parseJsonObject('image config', bytes, MAX_CONFIG_BYTES);
  const read = new FieldReader('image config');
  const os = read.text(document['os'], '/os', 64) ?? 'linux';
  const architecture = read.text(document['architecture'], '/architecture', 64) ?? '';
  if (architecture === '') read.issue('/architecture', 'is missing');
  const variant = read.text(document['variant'], '/variant', 64);
  const created = read.text(document['created'], '/created', 64);
  const author = read.text(document['author'], '/author');
  const config = readDefaults(read, read.object(document['config'], '/config') ?? {});
  const diffIds = readDiffIds(read, document['rootfs']);
  const history = (read.list(document['history'], '/history', 4096) ?? []).map((entry, i) => readHistory(read, entry, `/history/${i}`));
  read.finish();
  return {
    os,
    architecture,
    ...(variant ? { variant } : {}),
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    config,
    diffIds,
    history,
  };
}

/** The history entries that made a layer, one for each diff id; undefined where the history does not say. */
export function layerHistory(config: Pick<ImageConfig, 'diffIds' | 'history'>): readonly (HistoryEntry | undefined)[] {
  const steps = config.history.filter((entry) => !entry.emptyLayer);
  return config.diffIds.map((_diffId, index) => steps[index]);
}

function readDiffIds(read: FieldReader, rootfs: unknown): DiffId[] {
  const object = read.object(rootfs, '/rootfs');
  if (object === undefined) {
    read.issue('/rootfs', 'is missing');
    return [];
  }
  if (object['type'] !== 'layers') read.issue('/rootfs/type', 'must be "layers"');
  const texts = read.texts(object['diff_ids'], '/rootfs/diff_ids', MAX_DIFF_IDS) ?? [];
  texts.forEach((text, i) => {
    if (!isDigest(text)) read.issue(`/rootfs/diff_ids/${i}`, 'must be a sha256 or sha512 digest');
  });
  return texts as string[] as DiffId[];
}

function readDefaults(read: FieldReader, config: JsonObject): ExecutionDefaults {
  const text = (key: string) => read.text(config[key], `/config/${key}`);
  const texts = (key: string) => read.texts(config[key], `/config/${key}`, 4096);
  const keys = (key: string) => Object.keys(read.object(config[key], `/config/${key}`) ?? {}).slice(0, 1024);
  const [user, workingDir, stopSignal] = [text('User'), text('WorkingDir'), text('StopSignal')];
  const [entrypoint, cmd] = [texts('Entrypoint'), texts('Cmd')];
  const [onBuild, shell] = [texts('OnBuild'), texts('Shell')];
  const healthcheck = readHealthcheck(read, config['Healthcheck']);
  return {
    ...(user ? { user } : {}),
    exposedPorts: keys('ExposedPorts'),
    env: texts('Env') ?? [],
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(cmd === undefined ? {} : { cmd }),
    volumes: keys('Volumes'),
    ...(workingDir ? { workingDir } : {}),
    labels: readLabels(read, config['Labels']),
    ...(stopSignal ? { stopSignal } : {}),
    ...(healthcheck === undefined ? {} : { healthcheck }),
    ...(onBuild === undefined || onBuild.length === 0 ? {} : { onBuild }),
    ...(shell === undefined || shell.length === 0 ? {} : { shell }),
  };
}

function readLabels(read: FieldReader, value: unknown): Readonly<Record<string, string>> {
  const labels = Object.entries(read.textMap(value, '/config/Labels') ?? {}).filter(([name]) => !isReservedLabel(name));
  const total = labels.reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  if (total > MAX_LABEL_BYTES) read.issue('/config/Labels', `hold more than ${MAX_LABEL_BYTES} characters`);
  return Object.fromEntries(labels);
}

function readHealthcheck(read: FieldReader, value: unknown): Healthcheck | undefined {
  const object = read.object(value, '/config/Healthcheck');
  if (object === undefined) return undefined;
  const test = read.texts(object['Test'], '/config/Healthcheck/Test', 1024);
  if (test === undefined) return undefined;
  const number = (key: string, name: string) => (typeof object[key] === 'number' ? { [name]: object[key] } : {});
  return {
    test,
    ...number('Interval', 'interval'),
    ...number('Timeout', 'timeout'),
    ...number('StartPeriod', 'startPeriod'),
    ...number('StartInterval', 'startInterval'),
    ...number('Retries', 'retries'),
  };
}

function readHistory(read: FieldReader, value: unknown, path: string): HistoryEntry {
  if (!isObject(value)) {
    read.issue(path, 'must be an object');
    return { emptyLayer: true };
  }
  const [created, createdBy, author, comment] = ['created', 'created_by', 'author', 'comment'].map((key) =>
    read.text(value[key], `${path}/${key}`, 1024 * 1024),
  );
  return {
    ...(created === undefined ? {} : { created }),
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    emptyLayer: value['empty_layer'] === true,
  };
}

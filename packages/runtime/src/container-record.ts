/**
 * What the runtime remembers of a container between calls: one JSON document in its state directory.
 *
 *     <root>/<id>/            0700
 *       ├─ state.json         this document
 *       └─ exec.fifo          exists until `start`
 *
 * Knows: the document's shape, and how to tell a whole one from a torn one.
 * Does not know: where it is stored (container-store.ts), nor whether its process still lives (status.ts).
 */
import { formatSpecJson, parseSpecJson, type RuntimeSpec } from '@slipway/oci';

export interface ContainerRecord {
  /** Of this document. */
  readonly version: 1;
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
  /** Wall clock, RFC 3339. */
  readonly created: string;
  /** Absent while the process is being made. With bootId it names the process even after its pid was reused. */
  readonly process?: { readonly pid: number; readonly startTime: string; readonly shimPid?: number };
  readonly bootId: string;
  /** Hierarchy name → host directory. */
  readonly cgroups: Readonly<Record<string, string>>;
  /** The unit of systemd's that the group is; absent with the driver `cgroupfs`. */
  readonly scope?: string;
  readonly noNewKeyring: boolean;
  /** As validated at creation; config.json is not read again. */
  readonly spec: RuntimeSpec;
}

export function formatRecord(record: ContainerRecord): string {
  const { spec, ...rest } = record;
  return `${JSON.stringify(rest).slice(0, -1)},"spec":${formatSpecJson(spec)}}`;
}

/** Undefined for anything but a whole document of this version and id: torn, empty, foreign or from another version. */
export function parseRecord(text: string, id: string): ContainerRecord | undefined {
  let value: unknown;
  try {
    value = parseSpecJson(text);
  } catch {
    return undefined; // Torn: reported by the caller as a container without readable state.
  }
  return isRecord(value) && value.id === id ? value : undefined;
}

function isRecord(value: unknown): value is ContainerRecord {
  if (!isObject(value) || value['version'] !== 1) return false;
  const texts = ['id', 'bundle', 'created', 'bootId'].every((key) => typeof value[key] === 'string');
  const spec = value['spec'];
  return (
    texts &&
    isTextOrAbsent(value['scope']) &&
    isObject(spec) &&
    typeof spec['ociVersion'] === 'string' &&
    isDirectories(value['cgroups']) &&
    isProcess(value['process'])
  );
}

/** Directories that `delete` may remove: absolute and without dot segments, whatever the document says. */
function isDirectories(value: unknown): boolean {
  return (
    isObject(value) && Object.values(value).every((dir) => typeof dir === 'string' && dir.startsWith('/') && !dir.split('/').includes('..'))
  );
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isProcess(value: unknown): boolean {
  if (value === undefined) return true;
  return isObject(value) && Number.isSafeInteger(value['pid']) && Number(value['pid']) > 1 && typeof value['startTime'] === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What the C program says while it works: fixed-size records.
 *
 * Knows: the layout of native/launch.h's `struct record`, and that records may arrive in any pieces.
 * Does not know: what is done about them.
 */

export const RECORD_BYTES = 64;

/** `index` of a failure that belongs to no operation. */
export const NO_OPERATION = 0xffffffff;

const KINDS = { 1: 'done', 2: 'skipped', 3: 'failed', 4: 'stop', 5: 'launched', 6: 'hook', 7: 'note', 8: 'ready', 9: 'ahead' } as const;

export interface LauncherRecord {
  readonly kind: (typeof KINDS)[keyof typeof KINDS];
  readonly index: number;
  /** CLOCK_MONOTONIC milliseconds with a fraction. */
  readonly startMs: number;
  readonly endMs: number;
  readonly errno: number;
  readonly pid: number;
  /** Decimal; of a `launched` record only. */
  readonly startTime: string;
  readonly call: string;
  /** Of an `ahead` only, which is otherwise a `done`; as in OperationRecord. */
  readonly ahead?: { readonly startMs: number; readonly endMs: number };
  /** Of a `note` only: a piece of what a hook printed. */
  readonly note: string;
}

/** Cuts the stream on the records fd into records. */
export class RecordReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Records completed by `bytes`. @throws RangeError on an unknown kind */
  push(bytes: Uint8Array): LauncherRecord[] {
    const all = Buffer.concat([this.#rest, bytes]);
    const records: LauncherRecord[] = [];
    let at = 0;
    for (; at + RECORD_BYTES <= all.length; at += RECORD_BYTES) records.push(decode(all.subarray(at, at + RECORD_BYTES)));
    this.#rest = all.subarray(at);
    return records;
  }
}

function decode(bytes: Buffer): LauncherRecord {
  const kind = KINDS[bytes.readUInt32LE(0) as keyof typeof KINDS];
  if (kind === undefined) throw new RangeError(`record of unknown kind ${bytes.readUInt32LE(0)}`);
  return {
    kind,
    index: bytes.readUInt32LE(4),
    startMs: milliseconds(bytes, 8),
    endMs: milliseconds(bytes, 16),
    errno: bytes.readInt32LE(24),
    pid: bytes.readInt32LE(28),
    startTime: bytes.readBigUInt64LE(32).toString(),
    call: kind === 'ahead' ? '' : textOf(bytes.subarray(40, RECORD_BYTES)),
    ...(kind === 'ahead' ? { ahead: { startMs: milliseconds(bytes, 40), endMs: milliseconds(bytes, 48) } } : {}),
    note: kind === 'note' ? textOf(bytes.subarray(8, RECORD_BYTES)) : '',
  };
}

function milliseconds(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at)) / 1e6;
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}

/**
 * pax records: `"<length> <key>=<value>\n"`, where the value is bytes and the length counts the whole record.
 *
 * Knows: reading and writing records exactly.
 * Does not know: what the keys mean (extensions.ts).
 */
import { malformed } from './entry.ts';

/** Order matters and keys may repeat: sparse format 0.0 needs both. */
export type PaxRecords = readonly (readonly [key: string, value: Uint8Array])[];

/** @throws EngineError `invalid-argument` / `E_TAR_MALFORMED` */
export function parsePax(bytes: Uint8Array): PaxRecords {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: [string, Uint8Array][] = [];
  for (let at = 0; at < buffer.length; ) {
    const space = buffer.indexOf(0x20, at);
    const digits = buffer.toString('latin1', at, space < 0 ? Math.min(buffer.length, at + 20) : Math.min(space, at + 20));
    const length = /^[1-9][0-9]{0,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = buffer.indexOf(0x3d, space + 1);
    // The shortest record is "5 a=\n"; whatever is inconsistent here has split readers before.
    if (length < 5 || end > buffer.length || buffer[end - 1] !== 0x0a) throw malformed('a pax record with a wrong length');
    if (equals < 0 || equals >= end || equals === space + 1) throw malformed('a pax record without a key');
    records.push([buffer.toString('utf8', space + 1, equals), buffer.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

export function formatPax(records: PaxRecords): Uint8Array {
  return Buffer.concat(records.map(([key, value]) => formatRecord(key, value)));
}

function formatRecord(key: string, value: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  // The length counts its own digits, so adding it may need one digit more.
  let length = body.length + String(body.length).length;
  if (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/**
 * Times as Docker writes them.
 *
 * Knows: "5 minutes", the zero time, Unix seconds with a fraction.
 * Does not know: what happened then.
 */
import { badRequest } from './docker-status.ts';

/** Go's zero time: what Docker shows for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Docker's rough words for a time span. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < MINUTE) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / MINUTE);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / HOUR);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(seconds / DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** `1700000000`, `1700000000.123456789` or RFC 3339 → nanoseconds since 1970; undefined for an absent or zero one. */
export function parseTimestamp(name: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const [, seconds, fraction = ''] = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (seconds !== undefined) {
    const ns = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
    return ns === 0n ? undefined : ns;
  }
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw badRequest(`invalid value for "${name}": ${text.slice(0, 40)}`, 'use seconds since 1970 or RFC 3339');
  return BigInt(ms) * 1_000_000n;
}

const GO_DURATION = /^(?=.)(?:(\d{1,7})h)?(?:(\d{1,9})m)?(?:(\d{1,11})s)?$/;

/** What an `until` filter names, `24h` and `1h30m` before now or a time → milliseconds since 1970. */
export function parseUntil(text: string, nowMs: number): number {
  const [, hours = 0, minutes = 0, seconds = 0] = GO_DURATION.exec(text) ?? [];
  if (GO_DURATION.test(text)) return nowMs - (Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds)) * 1000;
  return Number((parseTimestamp('until', text) ?? 0n) / 1_000_000n);
}

/** RFC 3339 with nanoseconds, as log lines carry it. */
export function formatNanoseconds(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

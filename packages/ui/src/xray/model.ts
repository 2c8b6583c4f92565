/**
 * What is said of layers and their files, in words and signs.
 *
 * Knows: marks, sums, how bytes are shown as text or hexadecimal. Pure.
 * Does not know: where anything is drawn.
 */
import type { DiffEntry, XrayEntry, XrayFile, XrayLayer } from '@slipway/contracts';
import { formatBytes, formatCount } from '../base/format.ts';

/** Never colour alone. */
export const MARK_GLYPHS: Readonly<Record<XrayEntry['mark'], string>> = { added: '+', changed: '~', removed: '✕', kept: '·' };
export const CHANGE_GLYPHS: Readonly<Record<DiffEntry['change'], string>> = { added: '+', changed: '~', removed: '−' };

const MARK_WORDS: Readonly<Record<XrayEntry['mark'], string>> = {
  added: 'added',
  changed: 'changed',
  removed: 'removed by a whiteout',
  kept: 'as below',
};

/** `image layer 1` is the lowest. */
export function layerName(layer: number): string {
  return `image layer ${layer + 1}`;
}

export function layerSums({ added, changed, removed }: Pick<XrayLayer, 'added' | 'changed' | 'removed'>): string {
  const parts = [
    added > 0 ? `+${added} added` : '',
    changed > 0 ? `~${changed} changed` : '',
    removed > 0 ? `✕${removed} removed` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing' : parts.join(' · ');
}

/** What a layer did with a name, and what became of it. */
export function entryNote(entry: XrayEntry, inAll: boolean): string {
  const where = inAll ? ` in ${layerName(entry.layer)}` : '';
  const marks = entry.opaque ? `${MARK_WORDS[entry.mark]}, opaque: hides what lower layers have in it` : MARK_WORDS[entry.mark];
  const covered = entry.coveredBy === undefined ? '' : `; covered by ${layerName(entry.coveredBy)}`;
  const target = entry.target === undefined ? '' : `; → ${entry.target}`;
  return `${marks}${where}${covered}${target}${belowNote(entry.below)}`;
}

function belowNote(below: XrayEntry['below']): string {
  if (below === undefined) return '';
  const waste = below.wastedBytes > 0 ? `, ${formatBytes(below.wastedBytes)} wasted` : '';
  return `; below: ${layerSums(below)}, ${formatBytes(below.bytes)}${waste}`;
}

export function diffNote({ change, what, fromBytes, toBytes, kind }: DiffEntry): string {
  if (change !== 'changed') return `${change}${kind === 'file' ? `, ${formatBytes(Math.max(fromBytes, toBytes))}` : ''}`;
  const sizes = fromBytes === toBytes ? '' : `, ${formatBytes(fromBytes)} → ${formatBytes(toBytes)}`;
  return `${what.join(', ')}${sizes}`;
}

export function wasteSentence(wastedBytes: number, fileBytes: number, layers: number): string {
  const stored = `${formatCount(layers, 'layer')} hold ${formatBytes(fileBytes)} of files`;
  if (wastedBytes === 0) return `${stored}; a container sees every byte of them.`;
  return `${stored}; ${formatBytes(wastedBytes)} of it no container can see: later layers cover or delete it, and it is stored and fetched all the same.`;
}

export type FilePart = { readonly form: 'text'; readonly text: string } | { readonly form: 'hex'; readonly lines: readonly string[] };

const HEX_LINE = 16;
const MAX_HEX_BYTES = 4096;

/** Text where the part is UTF-8 without control characters, but for a sign that the end cuts in two; else hexadecimal. */
export function showPart({ bytes, offset }: Pick<XrayFile, 'bytes' | 'offset'>): FilePart {
  const raw = Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
  const text = decode(raw);
  if (text !== undefined && !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text)) return { form: 'text', text };
  const shown = raw.slice(0, MAX_HEX_BYTES);
  const lines = Array.from({ length: Math.ceil(shown.length / HEX_LINE) }, (_, at) =>
    hexLine(shown.slice(at * HEX_LINE, (at + 1) * HEX_LINE), offset + at * HEX_LINE),
  );
  return { form: 'hex', lines };
}

/** As hexdump -C writes it. */
function hexLine(bytes: Uint8Array, offset: number): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const signs = [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  return `${offset.toString(16).padStart(8, '0')}  ${hex.padEnd(HEX_LINE * 3 - 1)}  |${signs}|`;
}

function decode(raw: Uint8Array): string | undefined {
  for (const cut of [0, 1, 2, 3]) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(raw.subarray(0, Math.max(0, raw.length - cut)));
    } catch {
      // A sign of several bytes may be cut at the end of the part.
    }
  }
  return undefined;
}

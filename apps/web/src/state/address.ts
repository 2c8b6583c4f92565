/**
 * The page's address: lesson, explorer, selection and time, in the fragment.
 *
 *     #/a-container-is-a-process/processes?sel=container:3f2a…&at=41250.5&as=text
 *     #/~config?c=…                        the config.json editor, with the document a link holds
 *     #/~config?line=docker%20run%20…      the same, with what the engine makes of that line; nothing is run
 *     #code=…                              a one-time login code; removed before anything else happens
 *
 * Knows: how a view is written and read. Pure. Does not know: history, stores.
 */
import type { PanelName } from '@slipway/lessons/types';
import { isPanelName, parseSelection, type Selection, selectionText } from '@slipway/ui';

/** The lab with its lessons, or the config.json editor. */
export type Place = 'lab' | 'config';

export interface Address {
  /** Absent: the lab. */
  readonly place?: Place;
  /** Slug; absent: wherever the learner was last. */
  readonly lesson?: string;
  readonly panel?: PanelName;
  readonly selection?: Selection;
  /** Journal time, ms; absent: live. */
  readonly atMs?: number;
  readonly as?: 'picture' | 'text';
  /** Names of the images that are looked at; one, or two beside each other. */
  readonly images?: readonly string[];
  /** Whose layers are shown; absent: a container's. */
  readonly layersOf?: 'image';
  /** Digest of the chosen part of an image. */
  readonly part?: string;
}

export function parseAddress(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const [, lesson, panel] = path.split('/').map(decode);
  const params = new URLSearchParams(query);
  const selection = parseSelection(params.get('sel') ?? '');
  const at = params.get('at');
  const atMs = at === null || at === '' ? Number.NaN : Number(at);
  const as = params.get('as');
  return {
    ...(lesson === '~config' ? { place: 'config' as const } : {}),
    ...(lesson && /^[\w-]{1,100}$/.test(lesson) ? { lesson } : {}),
    ...(panel && isPanelName(panel) ? { panel } : {}),
    ...(selection ? { selection } : {}),
    ...(Number.isFinite(atMs) ? { atMs } : {}),
    ...(as === 'text' || as === 'picture' ? { as } : {}),
    ...(params.get('of') === 'image' ? { layersOf: 'image' as const } : {}),
    ...imagesOf(params),
  };
}

export function formatAddress(address: Address): string {
  if (address.place === 'config') return '#/~config';
  const params: string[] = [];
  if (address.selection) params.push(`sel=${encodeURIComponent(selectionText(address.selection)).replaceAll('%3A', ':')}`);
  if (address.atMs !== undefined) params.push(`at=${Number(address.atMs.toFixed(3))}`);
  if (address.as === 'text') params.push('as=text');
  if (address.layersOf === 'image') params.push('of=image');
  for (const image of address.images ?? []) params.push(`image=${encodeURIComponent(image)}`);
  if (address.part !== undefined) params.push(`part=${address.part}`);
  const path = [address.lesson, address.lesson === undefined ? undefined : address.panel].filter((part) => part !== undefined);
  return `#/${path.join('/')}${params.length > 0 ? `?${params.join('&')}` : ''}`;
}

function imagesOf(params: URLSearchParams): Pick<Address, 'images' | 'part'> {
  const images = params.getAll('image').filter((image) => image !== '' && image.length <= 300);
  const part = params.get('part') ?? '';
  return {
    ...(images.length > 0 ? { images: images.slice(0, 2) } : {}),
    ...(/^sha(256|512):[0-9a-f]{64,128}$/.test(part) ? { part } : {}),
  };
}

/** A document that an address of the editor leads to: packed into the link itself, or what the engine would make of a `docker run` line. */
export type LinkedDocument = { readonly packed: string } | { readonly line: string };

export function linkedDocument(hash: string): LinkedDocument | undefined {
  const [path, query = ''] = hash.replace(/^#/, '').split('?', 2);
  if (path !== '/~config') return undefined;
  const params = new URLSearchParams(query);
  const [packed, line] = [params.get('c'), params.get('line')];
  if (packed !== null) return { packed };
  return line === null ? undefined : { line };
}

/** The one-time code of `#code=…`. */
export function loginCode(hash: string): string | undefined {
  const code = new URLSearchParams(hash.replace(/^#\/?/, '')).get('code');
  return code === null || code === '' ? undefined : code;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

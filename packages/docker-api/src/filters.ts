/**
 * Docker's `filters` query parameter: `{"label":["a=b"],"status":{"running":true}}`.
 *
 * Knows: both spellings (lists, and maps of true), and how each filter of containers and events is matched.
 * Does not know: regular expressions: a name is matched as text, with ^ and $ as anchors, so that no pattern can stall the daemon.
 */
import type { BackendContainer, BackendEvent } from './backend.ts';
import { badRequest, notFound } from './docker-status.ts';
import { parseUntil } from './human-duration.ts';

export type Filters = ReadonlyMap<string, readonly string[]>;

const MAX_BYTES = 16 * 1024;

/** @throws invalid-argument for bad JSON or a filter that is not in `known` */
export function parseFilters(text: string | undefined, known: readonly string[]): Filters {
  if (text === undefined) return new Map();
  if (text.length > MAX_BYTES) throw badRequest('the filters are too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('invalid filters: not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('invalid filters: not an object');
  const filters = new Map(Object.entries(value).map(([name, values]) => [name, readValues(values)]));
  const unknown = [...filters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw badRequest(`invalid filter '${unknown.slice(0, 80)}'`, `known are ${known.join(', ')}`);
  return filters;
}

function readValues(values: unknown): readonly string[] {
  if (Array.isArray(values)) return values.map(String);
  if (typeof values === 'object' && values !== null) {
    return Object.entries(values)
      .filter(([, on]) => on === true)
      .map(([value]) => value);
  }
  return [String(values)];
}

/** Of a prune: whether something of this time (RFC 3339) was made before every `until`. @throws invalid-argument for what is no time */
export function readUntil(filters: Filters, nowMs = Date.now()): (createdAt: string | undefined) => boolean {
  const until = (filters.get('until') ?? []).map((text) => parseUntil(text, nowMs));
  return (createdAt) => until.every((ms) => Date.parse(createdAt ?? '') < ms);
}

/** Every filter must match; of one filter's values, one is enough, but for labels all are needed. */
export function matchesAll(filters: Filters, match: Readonly<Record<string, (value: string) => boolean>>): boolean {
  return [...filters].every(([name, values]) => {
    const test = match[name];
    if (test === undefined || values.length === 0) return true;
    return name === 'label' ? values.every(test) : values.some(test);
  });
}

export const CONTAINER_FILTERS = ['id', 'name', 'label', 'status', 'exited', 'ancestor', 'network', 'before', 'since'] as const;

/** What a container can be; Docker's `restarting` no container here ever is. */
const STATUSES: readonly string[] = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

/** @throws invalid-argument for a value that no container can have */
export function requireContainerFilters(filters: Filters): void {
  const refuse = (name: string, isKnown: (value: string) => boolean) => {
    const wrong = filters.get(name)?.find((value) => !isKnown(value));
    if (wrong !== undefined) throw badRequest(`invalid filter '${name}=${wrong.slice(0, 80)}'`);
  };
  refuse('status', (value) => STATUSES.includes(value));
  refuse('exited', (value) => /^-?[0-9]{1,5}$/.test(value));
}

export function containerMatches(container: BackendContainer, filters: Filters, all: readonly BackendContainer[]): boolean {
  const createdAt = (ref: string) => {
    const named = all.find(({ id, name }) => id.startsWith(ref) || name === ref);
    if (named === undefined) throw notFound(`No such container: ${ref.slice(0, 200)}`);
    return named.createdAt;
  };
  return matchesAll(filters, {
    id: (value) => container.id.startsWith(value),
    name: (value) => matchesName(container.name, value),
    label: (value) => matchesLabel(container.process.labels, value),
    status: (value) => container.status === value,
    exited: (value) => container.status === 'exited' && String(container.exit?.code) === value,
    ancestor: (value) => [container.request.image, container.imageId].some((image) => image === value || image === `${value}:latest`),
    network: (value) => container.request.host.network === value,
    before: (value) => container.createdAt < createdAt(value),
    since: (value) => container.createdAt > createdAt(value),
  });
}

export const EVENT_FILTERS = ['type', 'event', 'container', 'image', 'label', 'scope', 'daemon'] as const;

export function eventMatches(event: BackendEvent, filters: Filters): boolean {
  return matchesAll(filters, {
    type: (value) => event.type === value,
    event: (value) => event.action === value || event.action.startsWith(`${value}:`),
    container: (value) => event.type === 'container' && (event.id.startsWith(value) || event.attributes['name'] === value),
    image: (value) => [event.attributes['image'], event.type === 'image' ? event.id : undefined].includes(value),
    label: (value) => matchesLabel(event.attributes, value),
    scope: (value) => value === 'local',
    daemon: () => true,
  });
}

/** `key` or `key=value`. */
export function matchesLabel(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const at = filter.indexOf('=');
  return at === -1 ? Object.hasOwn(labels, filter) : labels[filter.slice(0, at)] === filter.slice(at + 1);
}

function matchesName(name: string, pattern: string): boolean {
  const text = pattern
    .replace(/^\^\/?/, '')
    .replace(/\$$/, '')
    .replace(/^\//, '');
  const [starts, ends] = [pattern.startsWith('^'), pattern.endsWith('$')];
  if (starts && ends) return name === text;
  if (starts) return name.startsWith(text);
  return ends ? name.endsWith(text) : name.includes(text);
}

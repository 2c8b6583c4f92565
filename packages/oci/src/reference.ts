/**
 * References: what a human types to name an image, and the full name it stands for.
 *
 *     busybox                      docker.io/library/busybox:latest
 *     alice/tool:1                 docker.io/alice/tool:1
 *     localhost:5000/a@sha256:…    localhost:5000/a@sha256:…
 *
 * Knows: the grammar and docker's abbreviations.
 * Does not know: which images exist.
 */
import { EngineError } from '@slipway/errors';
import { type Digest, isDigest } from './digest.ts';

/** A normalised reference. At least one of tag and digest is set. */
export interface Reference {
  /** Registry host with its port, e.g. `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** Path within the registry, e.g. `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_DOMAIN = 'docker.io';
const OFFICIAL = 'library/';

const DOMAIN =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const MAX_NAME = 255;
/** Longest text worth looking at: name, tag and a sha512 digest. */
const MAX_TEXT = MAX_NAME + 1 + 128 + 1 + 7 + 128;

/**
 * Reads a reference as docker does: a first component without dot, colon or `localhost` is no host but part of the path;
 * the host defaults to docker.io, where a single-component path gets `library/`; a missing tag is `latest` unless a digest is given.
 *
 * @throws EngineError `invalid-argument` / `E_REFERENCE_INVALID`
 * @spec distribution-spec/spec.md#pulling-manifests
 */
export function parseReference(text: string): Reference {
  if (text.length === 0 || text.length > MAX_TEXT) throw invalid(text, 'it is empty or too long');
  if (/^[0-9a-f]{64}$/.test(text)) throw invalid(text, 'a name may not look like an image id');
  const { rest, digest } = cutDigest(text);
  const { name, tag } = cutTag(rest, text);
  const { domain, path } = splitDomain(name);
  if (!DOMAIN.test(domain)) throw invalid(text, `${JSON.stringify(domain)} is not a host name`);
  if (domain.length + 1 + path.length > MAX_NAME) throw invalid(text, `the name is longer than ${MAX_NAME} characters`);
  const wrong = path.split('/').find((component) => !COMPONENT.test(component));
  if (wrong !== undefined) throw invalid(text, componentProblem(wrong));
  if (digest !== undefined) return { domain, path, ...(tag === undefined ? {} : { tag }), digest };
  return { domain, path, tag: tag ?? 'latest' };
}

/** True for a path within a registry, `library/busybox`. @spec distribution-spec/spec.md#pulling-manifests */
export function isRepositoryPath(text: string): boolean {
  return text.length <= MAX_NAME && text.split('/').every((component) => COMPONENT.test(component));
}

/** True for what may stand behind the colon. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** The full name: `docker.io/library/busybox:latest`. Parsing it gives the same reference. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The shortest name that means the same to docker: `busybox:latest`. */
export function familiarReference(reference: Reference): string {
  const { domain, path, tag, digest } = reference;
  const suffix = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return `${familiarName({ domain, path })}${suffix}`;
}

/** As {@link familiarReference}, without tag and digest: `busybox`. */
export function familiarName({ domain, path }: Pick<Reference, 'domain' | 'path'>): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path;
  return short.includes('/') ? path : short;
}

function cutDigest(text: string): { rest: string; digest?: Digest } {
  const at = text.indexOf('@');
  if (at < 0) return { rest: text };
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) throw invalid(text, `${JSON.stringify(digest)} is not a digest`);
  return { rest: text.slice(0, at), digest };
}

function cutTag(rest: string, text: string): { name: string; tag?: string } {
  const colon = rest.lastIndexOf(':');
  // A colon before the last slash belongs to the host's port.
  if (colon < 0 || colon < rest.lastIndexOf('/')) return { name: rest };
  const tag = rest.slice(colon + 1);
  if (!TAG.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a tag`);
  return { name: rest.slice(0, colon), tag };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  // An upper-case first component can only be a host, since paths have none.
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = isHost ? first : DEFAULT_DOMAIN;
  const path = isHost ? name.slice(slash + 1) : name;
  if (domain === 'index.docker.io' || domain === DEFAULT_DOMAIN) {
    return { domain: DEFAULT_DOMAIN, path: path.includes('/') ? path : `${OFFICIAL}${path}` };
  }
  return { domain, path };
}

function componentProblem(component: string): string {
  if (component !== component.toLowerCase()) return 'repository name must be lowercase';
  return `${JSON.stringify(component)} is not a path component`;
}

function invalid(text: string, why: string): EngineError {
  const quoted = JSON.stringify(text.slice(0, 200));
  return new EngineError('invalid-argument', `invalid reference format: ${quoted}: ${why}`, {
    code: 'E_REFERENCE_INVALID',
    op: 'reference.parse',
    subject: text.slice(0, 200),
    hint: 'A reference reads [host[:port]/]path[:tag][@digest], with a lower-case path.',
  });
}

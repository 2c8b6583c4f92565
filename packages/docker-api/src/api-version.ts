/**
 * The version prefix of Docker's paths.
 *
 * Knows: which versions are spoken, and that a path without a prefix means the newest.
 * Does not know: any route.
 */

export const API_VERSION = '1.47';
export const MIN_API_VERSION = '1.24';

/** Where a path with a version that is not spoken is sent, to be answered with a sentence. */
export const REFUSED_VERSION_PATH = '/_refused-version';

/** `/v1.41/containers/json?all=1` → `/containers/json?all=1`. */
export function stripVersion(url: string): string {
  const [, version, rest] = /^\/v([0-9.]{1,12})(\/.*)$/s.exec(url) ?? [];
  if (version === undefined || rest === undefined) return url;
  return versionProblem(version) === undefined ? rest : `${REFUSED_VERSION_PATH}/${version}`;
}

/** Docker's own sentences; undefined for a version that is spoken. */
export function versionProblem(version: string): string | undefined {
  const asked = parse(version);
  if (asked === undefined) return `invalid API version: ${version}`;
  if (asked < minor(MIN_API_VERSION)) {
    return `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`;
  }
  if (asked > minor(API_VERSION)) return `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`;
  return undefined;
}

function parse(version: string): number | undefined {
  const [, value] = /^1\.([0-9]{1,3})$/.exec(version) ?? [];
  return value === undefined ? undefined : Number(value);
}

function minor(version: string): number {
  return parse(version) ?? 0;
}

/**
 * Build arguments that need no `ARG`: proxies. A step sees them, but they make no difference to what it is cached by, and no image tells of them.
 *
 * Knows: their names.
 * Does not know: what programs make of them.
 *
 * @see https://docs.docker.com/reference/dockerfile/#predefined-args
 */
const NAMES = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]));

export function isPredefinedArg(name: string): boolean {
  return NAMES.has(name);
}

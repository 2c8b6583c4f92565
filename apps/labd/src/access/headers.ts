/**
 * What every answer says to the browser about itself.
 *
 * Knows: security headers and the content security policy of the built page.
 * Does not know: routes.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};

/** Answers that are no documents: nothing may be loaded or run if one is opened as a page. */
export const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

const FRAME = "frame-ancestors 'none'";
const DIRECTIVES = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  // xterm.js and d3 set style attributes; styles run nothing.
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  FRAME,
];

/** `out/csp.json`, written when the page is built: the digests of its inline scripts. */
const BuiltPolicy = z.object({ scripts: z.array(z.string().regex(/^sha(256|384|512)-[A-Za-z0-9+/=]+$/)).max(500) });

/** The policy of documents; with the digests of the page's own inline scripts where the build recorded them. */
export function documentPolicy(webDir: string): string {
  const scripts = readDigests(`${webDir}/csp.json`).map((digest) => `'${digest}'`);
  return [...DIRECTIVES, ["script-src 'self'", ...scripts].join(' ')].join('; ');
}

function readDigests(path: string): readonly string[] {
  try {
    return BuiltPolicy.parse(JSON.parse(readFileSync(path, 'utf8'))).scripts;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

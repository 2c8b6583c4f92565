/**
 * Writes out/csp.json: the digests of the inline scripts that Next.js puts into the exported pages.
 *
 *     node apps/web/scripts/csp-hashes.mjs [out]
 *
 * Knows: HTML files and script elements without src. Does not know: the policy; labd builds it from this list.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const out = resolve(process.argv[2] ?? join(import.meta.dirname, '../out'));
const pages = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
const scripts = new Set();
for (const page of pages) {
  const html = readFileSync(join(out, page), 'utf8');
  for (const [, attributes = '', code = ''] of html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
    if (/\bsrc=/.test(attributes) || code === '') continue;
    scripts.add(`sha256-${createHash('sha256').update(code).digest('base64')}`);
  }
}
writeFileSync(join(out, 'csp.json'), `${JSON.stringify({ scripts: [...scripts].sort() }, null, 2)}\n`);
process.stdout.write(`${scripts.size} inline scripts in ${pages.length} pages\n`);

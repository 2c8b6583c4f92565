/**
 * Remembers from which inputs a result was made, so that it is made again only when they change.
 *
 * Knows: hashing files and folders. A stamp is one small file below .slipway/stamps.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, STATE_DIR } from './paths.mjs';

const LEFT_OUT = new Set(['node_modules', '.next', 'out', 'build', '.slipway', 'test-results']);

/** Digest over the names and bytes of files and folders (relative to the checkout) and over `extra`. */
export function inputsDigest(paths, extra = '') {
  const hash = createHash('sha256').update(extra);
  for (const path of paths) addPath(hash, path);
  return hash.digest('hex');
}

/** True when `name` was made from these inputs and every one of `results` (absolute paths) still exists. */
export function isCurrent(name, digest, results) {
  const file = `${STATE_DIR}/stamps/${name}`;
  return existsSync(file) && readFileSync(file, 'utf8') === digest && results.every((path) => existsSync(path));
}

export function writeStamp(name, digest) {
  mkdirSync(`${STATE_DIR}/stamps`, { recursive: true });
  writeFileSync(`${STATE_DIR}/stamps/${name}`, digest);
}

function addPath(hash, path) {
  const absolute = join(ROOT, path);
  if (!existsSync(absolute)) return;
  if (statSync(absolute).isFile()) {
    hash.update(`\0${path}\0`).update(readFileSync(absolute));
    return;
  }
  for (const name of readdirSync(absolute).sort()) {
    if (!LEFT_OUT.has(name)) addPath(hash, join(path, name));
  }
}

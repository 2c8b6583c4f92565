/**
 * node:path, as far as making a process needs it.
 *
 * Knows: POSIX paths.
 * Does not know: files.
 */
import { system } from './system.ts';

export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !isAbsolute(path)) parts.push(part);
  }
  const text = (isAbsolute(path) ? '/' : '') + parts.join('/') + (path.endsWith('/') && parts.length > 0 ? '/' : '');
  return text === '' ? '.' : text;
}

export function join(...parts: readonly string[]): string {
  return normalize(parts.filter((part) => part !== '').join('/'));
}

export function resolve(...parts: readonly string[]): string {
  let path = '';
  for (const part of parts.toReversed()) {
    if (part !== '') path = path === '' ? part : `${part}/${path}`;
    if (isAbsolute(part)) break;
  }
  const cwd = isAbsolute(path) ? '' : system.cwd();
  if (typeof cwd === 'number') throw new Error('there is no current directory');
  const whole = normalize(isAbsolute(path) ? path : `${cwd}/${path}`);
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
}

export function dirname(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : trimmed.slice(0, slash);
}

export function basename(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

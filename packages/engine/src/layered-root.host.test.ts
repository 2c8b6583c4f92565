import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { readInLayers } from './layered-root.ts';

let base = '';
let layers: readonly [upper: string, lower: string];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'layers-'));
  layers = [join(base, 'upper'), join(base, 'lower')];
  for (const layer of layers) mkdirSync(join(layer, 'etc'), { recursive: true });
  writeFileSync(join(base, 'secret'), 'host');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

// @attack A36: twin
hostTest('the topmost layer that has the file wins', ['linux'], async () => {
  writeFileSync(join(layers[1], 'etc/passwd'), 'lower');
  expect(readInLayers(layers, '/etc/passwd')).toBe('lower');
  writeFileSync(join(layers[0], 'etc/passwd'), 'upper');
  expect(readInLayers(layers, '/etc/passwd')).toBe('upper');
});

hostTest('a whiteout hides the file below', ['linux', 'root'], async () => {
  writeFileSync(join(layers[1], 'etc/passwd'), 'lower');
  execFileSync('mknod', [join(layers[0], 'etc/passwd'), 'c', '0', '0']);
  expect(readInLayers(layers, '/etc/passwd')).toBeUndefined();
});

// @attack A36: attack, control, twin
hostTest('a link is followed inside the layers and never out of them', ['linux'], async () => {
  writeFileSync(join(layers[1], 'etc/real'), 'inside');
  symlinkSync('../../../../etc/real', join(layers[0], 'etc/passwd'));
  expect(readInLayers(layers, '/etc/passwd')).toBe('inside');
  symlinkSync(join(base, 'secret'), join(layers[0], 'etc/group'));
  expect(readInLayers(layers, '/etc/group')).toBeUndefined();
  // The control: by its name it is the host's.
  expect(readFileSync(join(layers[0], 'etc/group'), 'utf8')).toBe('host');
  symlinkSync('/etc/loop', join(layers[0], 'etc/loop'));
  expect(readInLayers(layers, '/etc/loop')).toBeUndefined();
});

// @attack A36: attack
hostTest('devices and fifos are not read, and a huge file is refused unread', ['linux', 'root'], async () => {
  execFileSync('mknod', [join(layers[0], 'etc/zero'), 'c', '1', '5']);
  execFileSync('mkfifo', [join(layers[0], 'etc/fifo')]);
  writeFileSync(join(layers[0], 'etc/huge'), '');
  truncateSync(join(layers[0], 'etc/huge'), 200 * 1024 * 1024);
  expect(readInLayers(layers, '/etc/zero')).toBeUndefined();
  expect(readInLayers(layers, '/etc/fifo')).toBeUndefined();
  expect(() => readInLayers(layers, '/etc/huge')).toThrow(RangeError);
});

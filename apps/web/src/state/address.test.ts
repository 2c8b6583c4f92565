import { expect, test } from 'vitest';
import { type Address, formatAddress, linkedDocument, loginCode, parseAddress } from './address.ts';

test.each<[Address, string]>([
  [{}, '#/'],
  [{ lesson: 'a-container-is-a-process' }, '#/a-container-is-a-process'],
  [{ lesson: 'l', panel: 'cgroups', selection: { kind: 'container', id: '3f2a' } }, '#/l/cgroups?sel=container:3f2a'],
  [{ lesson: 'l', panel: 'calls', selection: { kind: 'span', id: 's 1&x' }, atMs: 41250.5 }, '#/l/calls?sel=span:s%201%26x&at=41250.5'],
  [
    { lesson: 'l', panel: 'processes', selection: { kind: 'process', pid: 7, startTime: '99' }, as: 'text' },
    '#/l/processes?sel=process:7:99&as=text',
  ],
  [
    { lesson: 'l', panel: 'image-graph', images: ['web:latest', '127.0.0.1:5000/a/b:1'], part: `sha256:${'a'.repeat(64)}` },
    `#/l/image-graph?image=web%3Alatest&image=127.0.0.1%3A5000%2Fa%2Fb%3A1&part=sha256:${'a'.repeat(64)}`,
  ],
  [{ lesson: 'l', panel: 'layers', layersOf: 'image', images: ['web:1'] }, '#/l/layers?of=image&image=web%3A1'],
])('%j has an address that brings it back', (address, text) => {
  expect(formatAddress(address)).toBe(text);
  expect(parseAddress(text)).toEqual(address);
});

test('what an address cannot mean is left out', () => {
  expect(parseAddress('#/../etc/nopanel?sel=bogus&at=soon&as=html&image=&part=sha256:x')).toEqual({});
  expect(parseAddress('#/%E0%A4%A/x')).toEqual({});
});

test('an address of the editor holds a document, or the line that one is made of', () => {
  expect(linkedDocument('#/~config?c=AbC')).toEqual({ packed: 'AbC' });
  expect(linkedDocument('#/~config?line=docker%20run%20-m%2064m%20busybox')).toEqual({ line: 'docker run -m 64m busybox' });
  expect(linkedDocument('#/~config')).toBeUndefined();
  expect(linkedDocument('#/a-lesson?c=AbC')).toBeUndefined();
  expect(parseAddress('#/~config?line=docker%20run%20busybox')).toEqual({ place: 'config' });
});

test('the login code is found and nothing else is one', () => {
  expect(loginCode('#code=abc-123')).toBe('abc-123');
  expect(loginCode('#/lesson?at=1')).toBeUndefined();
  expect(loginCode('#code=')).toBeUndefined();
});

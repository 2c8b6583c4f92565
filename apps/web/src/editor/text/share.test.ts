import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LINK_MAX_CHARS, packText, SHARED_MAX_BYTES, unpackText } from './share.ts';

test('a document survives its link, letters of every script included', async () => {
  const text = `{ "hostname": "größe-港" }\n${'x'.repeat(5000)}`;
  const coded = await packText(text);
  expect(coded).toMatch(/^[\w-]+$/);
  expect(await unpackText(coded ?? '')).toBe(text);
});

test('what does not fit a link is not made into one', async () => {
  const noise = randomBytes(20_000).toString('hex');
  expect(await packText(noise)).toBeUndefined();
  expect(await packText('x'.repeat(SHARED_MAX_BYTES + 1))).toBeUndefined();
});

test.each([
  ['cut', 'q1ZKzk9J'],
  ['not ours', 'hello world'],
  ['empty', ''],
  ['too long', 'A'.repeat(LINK_MAX_CHARS + 1)],
  ['a bomb', deflateRawSync(Buffer.alloc(SHARED_MAX_BYTES * 4, 120)).toString('base64url')],
  ['not text', deflateRawSync(Buffer.from([0xff, 0xfe, 0x80])).toString('base64url')],
])('a link that is %s gives nothing', async (_name, coded) => {
  expect(await unpackText(coded)).toBeUndefined();
});

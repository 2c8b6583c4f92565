import { describe, expect, test } from 'vitest';
import { chainId, chainIds, digestOf, parseDiffId, parseDigest, splitDigest } from './digest.ts';

const HEX = 'a'.repeat(64);

describe('parseDigest', () => {
  test.each([
    ['sha256', `sha256:${HEX}`],
    ['sha512', `sha512:${HEX}${HEX}`],
  ])('accepts %s', (_name, text) => {
    expect(parseDigest(text)).toBe(text);
  });

  test.each([
    ['63 hex digits', `sha256:${'a'.repeat(63)}`],
    ['65 hex digits', `sha256:${'a'.repeat(65)}`],
    ['upper-case hex', `sha256:${'A'.repeat(64)}`],
    ['an algorithm nobody should trust', `md5:${'a'.repeat(32)}`],
    ['an encoding suffix', `sha256+b64:${HEX}`],
    ['a prototype key as algorithm', 'constructor:a'],
    ['no algorithm', HEX],
    ['a trailing separator', `sha256:${HEX}:`],
    ['a trailing newline', `sha256:${HEX}\n`],
    ['a path out of the blob directory', 'sha256:../../etc/passwd'],
    ['nothing', ''],
  ])('rejects %s', (_name, text) => {
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'E_DIGEST_INVALID' }));
  });
});

test('the empty blob has the well-known digest', () => {
  expect(digestOf('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('a digest splits into algorithm and hex', () => {
  expect(splitDigest(parseDigest(`sha512:${HEX}${HEX}`))).toEqual({ algorithm: 'sha512', hex: HEX + HEX });
});

describe('chainId', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => parseDiffId(digestOf(text))) as [never, never, never];

  test('of one layer is its diff id', () => {
    expect(chainId([a])).toBe(a);
  });

  test('of three layers is the digest of the two below and the third', () => {
    expect(chainId([a, b, c])).toBe(digestOf(`${digestOf(`${a} ${b}`)} ${c}`));
  });

  test('depends on the order', () => {
    expect(chainId([a, b])).not.toBe(chainId([b, a]));
  });

  test('every prefix has one', () => {
    expect(chainIds([a, b, c])).toEqual([chainId([a]), chainId([a, b]), chainId([a, b, c])]);
  });

  test('of nothing is refused', () => {
    expect(() => chainId([])).toThrow(expect.objectContaining({ code: 'E_CHAIN_EMPTY' }));
  });
});

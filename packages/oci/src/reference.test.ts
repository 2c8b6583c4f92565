import { describe, expect, test } from 'vitest';
import { familiarReference, formatReference, parseReference } from './reference.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;

describe('parseReference', () => {
  test.each([
    ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['alice/tool', 'docker.io/alice/tool:latest', 'alice/tool:latest'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['localhost/a', 'localhost/a:latest', 'localhost/a:latest'],
    ['localhost:5000/a/b:x', 'localhost:5000/a/b:x', 'localhost:5000/a/b:x'],
    ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
    ['quay.io/a__b/c-d.e:V1_2', 'quay.io/a__b/c-d.e:V1_2', 'quay.io/a__b/c-d.e:V1_2'],
    [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, `busybox@${DIGEST}`],
    [`busybox:1@${DIGEST}`, `docker.io/library/busybox:1@${DIGEST}`, `busybox:1@${DIGEST}`],
  ])('%s', (text, full, familiar) => {
    const reference = parseReference(text);

    expect(formatReference(reference)).toBe(full);
    expect(familiarReference(reference)).toBe(familiar);
    expect(parseReference(full)).toEqual(reference);
    expect(parseReference(familiar)).toEqual(reference);
  });

  test.each([
    ['nothing', ''],
    ['upper case', 'BusyBox'],
    ['a path out', '../x'],
    ['an empty component', 'a//b'],
    ['a leading dash', '-v'],
    ['a bad tag', 'busybox:-1'],
    ['an empty tag', 'busybox:'],
    ['a tag of 129 characters', `busybox:${'a'.repeat(129)}`],
    ['a short digest', 'busybox@sha256:abc'],
    ['an image id', 'a'.repeat(64)],
    ['a newline', 'busybox\n'],
    ['an escape sequence', 'a\u001b]0;x'],
    ['300 characters', 'a'.repeat(300)],
    ['a scheme', 'http://localhost/a'],
  ])('rejects %s', (_name, text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'E_REFERENCE_INVALID' }));
  });
});

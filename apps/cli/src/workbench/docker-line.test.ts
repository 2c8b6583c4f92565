import { findSpecIssues } from '@slipway/oci';
import { describe, expect, test } from 'vitest';
import { documentOf, originsOf, parseDockerLine } from './docker-line.ts';

const FACTS = {
  image: { exposedPorts: [], env: [], cmd: ['sh'], volumes: [], labels: {} },
  accounts: { passwd: '', group: '' },
};
const origins = (line: string) => Object.fromEntries(originsOf(parseDockerLine(line), FACTS).map(({ flag, pointers }) => [flag, pointers]));

test('a line is cut as a shell cuts it', () => {
  expect(parseDockerLine(`sudo docker run -itm64m -e 'A=b c' --name="x y" --rm busybox sh -c "echo \\"hi\\""`)).toEqual({
    flags: [
      { name: '-itm', words: ['-itm64m'] },
      { name: '-e', words: ['-e', 'A=b c'] },
      { name: '--name', words: ['--name=x y'] },
      { name: '--rm', words: ['--rm'] },
    ],
    image: 'busybox',
    command: ['sh', '-c', 'echo "hi"'],
  });
});

test.each([
  ['podman run x', 'has to begin with docker run'],
  ['docker ps', 'has to begin with docker run'],
  ['docker run -m 64m', 'names no image'],
  ["docker run busybox 'sh", 'quote in the line is not closed'],
])('%j is refused: %s', (line, message) => {
  expect(() => parseDockerLine(line)).toThrow(message);
});

test('what client or engine refuse is refused in their words', () => {
  const attempt = (line: string) => () => documentOf(parseDockerLine(line), FACTS);
  expect(attempt('docker run --nope busybox')).toThrow('unknown flag: --nope');
  expect(attempt('docker run -m lots busybox')).toThrow('not a size');
  expect(attempt('docker run -m 1m busybox')).toThrow(/6 ?MB|minimum/i);
});

test('the document of a line is sound', () => {
  expect(findSpecIssues(documentOf(parseDockerLine('docker run -it -m 64m --read-only -v /tmp:/data busybox'), FACTS))).toEqual([]);
});

describe('each flag is found at the fields it set', () => {
  test('limits, names, the root and the program', () => {
    expect(origins('docker run --memory 64m --hostname web --read-only --cpus .5 busybox sleep 60')).toEqual({
      '--memory': ['/linux/resources/memory/limit'],
      '--hostname': expect.arrayContaining(['/hostname']),
      '--read-only': ['/root/readonly'],
      '--cpus': ['/linux/resources/cpu/quota', '/linux/resources/cpu/period'],
      'the program': expect.arrayContaining([expect.stringMatching(/^\/process\/args/)]),
    });
  });

  test('lists: what was added is found by its place', () => {
    const found = origins('docker run -v /srv:/data -e A=1 --cap-add NET_ADMIN --tmpfs /scratch busybox');
    expect(found['-v']).toEqual([expect.stringMatching(/^\/mounts\/\d+$/)]);
    expect(found['--tmpfs']).toEqual([expect.stringMatching(/^\/mounts\/\d+$/)]);
    expect(found['-e']).toEqual([expect.stringMatching(/^\/process\/env\/\d+$/)]);
    expect(found['--cap-add']).toEqual(expect.arrayContaining([expect.stringMatching(/^\/process\/capabilities\/bounding\/\d+$/)]));
  });

  test('a flag that needs another is seen nevertheless', () => {
    expect(origins('docker run -m 64m --memory-swap 128m busybox')['-m']).toContain('/linux/resources/memory/limit');
  });

  test('a flag that leaves no trace in the document has no field', () => {
    expect(origins('docker run -d --rm busybox')).toEqual({ '-d': [], '--rm': [] });
  });
});

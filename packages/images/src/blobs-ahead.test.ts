import type { ReadHandle } from '@slipway/kernel';
import { type Digest, digestOf } from '@slipway/oci';
import { expect, test } from 'vitest';
import { BlobsAhead } from './blobs-ahead.ts';

const layer = (text: string) => ({ descriptor: { digest: digestOf(text) } });

/** A content store that counts what it has open. */
function counting(here: Set<Digest>) {
  const open: Digest[] = [];
  return {
    here,
    open,
    content: {
      stat: async (digest: Digest) => (here.has(digest) ? { digest, sizeBytes: 1, committedAtMs: 0 } : undefined),
      open: async (digest: Digest) => {
        if (!here.has(digest)) throw new Error('not here');
        open.push(digest);
        return { fd: open.length, close: async () => void open.splice(open.indexOf(digest), 1) } as unknown as ReadHandle;
      },
    },
  };
}

test('a blob is opened once, before or when it is needed, and closed with its layer', async () => {
  const store = counting(new Set([digestOf('a')]));
  const [one, same] = [layer('a'), layer('a')];
  await using blobs = new BlobsAhead(store.content);

  expect(await blobs.open(one)).toBe(await blobs.find(one));
  await blobs.find(same);
  expect(store.open).toHaveLength(2);
  await blobs.release(one);
  expect(store.open).toEqual([digestOf('a')]);
});

test('a blob that is not here yet is looked for again; who cannot do without it is told', async () => {
  const store = counting(new Set());
  const late = layer('late');
  await using blobs = new BlobsAhead(store.content);

  expect(await blobs.find(late)).toBeUndefined();
  await expect(blobs.open(late)).rejects.toThrow('not here');
  store.here.add(digestOf('late'));
  expect(await blobs.find(late)).toBeDefined();
});

test('what was opened and not needed is closed in the end, also what is just being opened', async () => {
  const store = counting(new Set([digestOf('a'), digestOf('b')]));
  {
    await using blobs = new BlobsAhead(store.content);
    await blobs.find(layer('a'));
    void blobs.find(layer('b'));
  }
  expect(store.open).toEqual([]);
});

/** Addresses that a stranger's Dockerfile names. Each refusal has a legal neighbour that passes. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FetchFileOptions, fetchFile } from './fetch-file.ts';
import { StubRegistry } from './testing/stub-registry.ts';

let stub: StubRegistry;
let other: StubRegistry;
beforeEach(async () => {
  [stub, other] = await Promise.all([StubRegistry.start(), StubRegistry.start()]);
  stub.answers.set('GET /file', (_seen, response) => response.end('content'));
  other.answers.set('GET /file', (_seen, response) => response.end('of another'));
});
afterEach(async () => {
  await stub[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

async function fetched(url: string, changes: Partial<FetchFileOptions> = {}): Promise<string> {
  const chunks: Uint8Array[] = [];
  const write = async (bytes: Uint8Array) => void chunks.push(bytes);
  await fetchFile(new URL(url), { allowedHosts: [stub.host], maxBytes: 1000, timeoutMs: 30_000, write, ...changes });
  return Buffer.concat(chunks).toString();
}

const redirect = (to: string) => stub.answers.set('GET /there', (_seen, response) => response.writeHead(302, { location: to }).end());

test('an address that is not public is asked only where it was allowed, by the port too', async () => {
  expect(await fetched(`http://${stub.host}/file`)).toBe('content');
  await expect(fetched(`http://${stub.host}/file`, { allowedHosts: [] })).rejects.toMatchObject({ code: 'E_FETCH_ADDRESS' });
  await expect(fetched(`http://${other.host}/file`)).rejects.toMatchObject({ code: 'E_FETCH_ADDRESS' });
  await expect(fetched(`http://localhost:${other.port}/file`)).rejects.toMatchObject({ code: 'E_FETCH_ADDRESS' });
  expect(other.asked).toEqual([]);
});

test.each(['http://169.254.169.254/latest/meta-data', 'http://[::ffff:10.0.0.1]/', 'http://2130706433/', 'http://0x7f.1/'])(
  '%s is refused before anything is sent',
  async (url) => {
    await expect(fetched(url)).rejects.toMatchObject({ code: 'E_FETCH_ADDRESS' });
  },
);

test('a redirect is followed within the same rules, and not for ever', async () => {
  redirect('/file');
  expect(await fetched(`http://${stub.host}/there`)).toBe('content');
  redirect(`http://${other.host}/file`);
  await expect(fetched(`http://${stub.host}/there`)).rejects.toMatchObject({ code: 'E_FETCH_ADDRESS' });
  expect(other.asked).toEqual([]);
  for (const to of [`http://user:secret@${stub.host}/file`, 'file:///etc/passwd']) {
    redirect(to);
    const refused = expect.objectContaining({ code: 'E_FETCH_ADDRESS', message: expect.not.stringContaining('secret') });
    await expect(fetched(`http://${stub.host}/there`)).rejects.toEqual(refused);
  }
  redirect('/there');
  await expect(fetched(`http://${stub.host}/there`)).rejects.toMatchObject({ code: 'E_FETCH_FAILED' });
  expect(stub.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
});

test('more bytes than allowed, announced or not, an end in the middle, another status, and silence end the fetch', async () => {
  stub.answers.set('GET /announced', (_seen, response) => response.writeHead(200, { 'content-length': 1001 }).write('x'));
  stub.answers.set('GET /endless', (_seen, response) => response.write(Buffer.alloc(1001)));
  stub.answers.set('GET /short', (_seen, response) =>
    response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy()),
  );
  stub.answers.set('GET /silent', () => undefined);
  stub.answers.set('GET /exact', (_seen, response) => response.end(Buffer.alloc(1000)));
  for (const path of ['announced', 'endless', 'short', 'none'])
    await expect(fetched(`http://${stub.host}/${path}`), path).rejects.toMatchObject({ code: 'E_FETCH_FAILED' });
  await expect(fetched(`http://${stub.host}/silent`, { timeoutMs: 100 })).rejects.toMatchObject({
    message: expect.stringContaining('longer than 0.1 s'),
  });
  const gone = AbortSignal.abort(new Error('the client has left'));
  await expect(fetched(`http://${stub.host}/file`, { signal: gone })).rejects.toThrow('the client has left');
  expect(await fetched(`http://${stub.host}/exact`)).toHaveLength(1000);
});

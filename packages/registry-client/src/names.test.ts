import { describe, expect, test } from 'vitest';
import { parseChallenges } from './challenge.ts';
import { credentialsFor, parseRegistryAuth, registryDomain } from './credentials.ts';
import { parseMirror } from './mirror.ts';
import { mayShowCredential, requireAddress, requireForeign } from './policy.ts';

describe('challenges', () => {
  test('several, quoted and bare, with commas inside quotes', () => {
    const [bearer, basic, more] = parseChallenges(
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push", Basic realm=x',
    );
    expect(bearer?.scheme).toBe('bearer');
    expect(Object.fromEntries(bearer?.parameters ?? [])).toEqual({
      realm: 'https://auth.docker.io/token',
      service: 'registry.docker.io',
      scope: 'repository:a/b:pull,push',
    });
    expect([basic?.scheme, basic?.parameters.get('realm'), more]).toEqual(['basic', 'x', undefined]);
  });

  test.each(['', ',,,', '"', 'Bearer realm="unfinished', '='.repeat(10_000)])('%j ends without harm', (text) => {
    expect(parseChallenges(text).length).toBeLessThan(2);
  });
});

describe('credentials', () => {
  const header = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  test('the header of docker’s clients', () => {
    expect(parseRegistryAuth(header({ username: 'u', password: 'p', serveraddress: 'localhost:5000' }))).toEqual({
      username: 'u',
      password: 'p',
      server: 'localhost:5000',
    });
    expect(parseRegistryAuth(header({ auth: Buffer.from('u:p:q').toString('base64') }))).toEqual({ username: 'u', password: 'p:q' });
    expect(parseRegistryAuth(header({ identitytoken: 't' }))).toEqual({ username: '', identityToken: 't' });
  });

  test.each(['', header({}), header(null), header({ username: 'u' })])('%j holds nothing', (text) => {
    expect(parseRegistryAuth(text)).toBeUndefined();
  });

  test.each(['%%%', header([]), header({ password: 1 }), 'x'.repeat(70_000)])('is refused: %#', (text) => {
    expect(() => parseRegistryAuth(text)).toThrow(expect.objectContaining({ code: 'E_REGISTRY_AUTH_HEADER' }));
  });

  test('those of one registry are not shown to another; docker hub has several names', () => {
    const hub = { username: 'u', password: 'p', server: 'https://index.docker.io/v1/' };
    expect(credentialsFor('docker.io', hub)).toBe(hub);
    expect(credentialsFor('evil.example', hub)).toBeUndefined();
    expect(registryDomain('https://Registry.Example:5000/v2/')).toBe('registry.example:5000');
  });
});

describe('mirrors', () => {
  test.each([
    ['https://m.example', 'docker.io', 'https://m.example/'],
    ['docker.io=http://127.0.0.1:5000', 'docker.io', 'http://127.0.0.1:5000/'],
    ['quay.io=http://localhost:5000/', 'quay.io', 'http://localhost:5000/'],
    ['lab=http://[::1]:5000', 'lab', 'http://[::1]:5000/'],
  ])('%s', (text, registry, url) => {
    const mirror = parseMirror(text);
    expect([mirror.registry, mirror.url.href]).toEqual([registry, url]);
  });

  test.each(['docker.io=', 'docker.io=ftp://a', 'http://mirror.lan', 'https://u:p@m.example', 'https://m.example/sub', 'x'])(
    '%s is refused',
    (text) => {
      expect(() => parseMirror(text)).toThrow(expect.objectContaining({ code: 'E_REGISTRY_MIRROR' }));
    },
  );

  test('plain http elsewhere, where it was allowed', () => {
    expect(parseMirror('http://mirror.lan:5000', ['mirror.lan:5000']).url.host).toBe('mirror.lan:5000');
  });
});

describe('who may see a credential [B22]', () => {
  test.each([
    ['https://registry-1.docker.io', 'https://auth.docker.io/token', true],
    ['https://quay.io', 'https://quay.io/v2/auth', true],
    ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', true],
    ['https://r.example.co.uk', 'https://auth.example.co.uk/t', true],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5000/token', true],
    ['https://registry-1.docker.io', 'https://auth.docker.io.evil.example/token', false],
    ['https://a.co.uk', 'https://b.co.uk/t', false],
    ['https://registry-1.docker.io', 'http://auth.docker.io/token', false],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', false],
    ['https://192.168.1.1', 'https://192.168.1.2/token', false],
    ['https://localhost', 'https://localhost:444/token', false],
  ])('%s, asked by %s: %s', (registry, realm, may) => {
    expect(mayShowCredential(new URL(realm), new URL(registry))).toBe(may);
  });
});

describe('where a registry may send us [B22, B23]', () => {
  const refused = expect.objectContaining({ code: 'E_REGISTRY_ADDRESS' });
  const at = (url: string, isInsecure = false) => ({ url: new URL(url), isInsecure });

  test.each([
    ['https://r.example', 'http://r.example/x'],
    ['https://r.example', 'ftp://r.example/x'],
    ['https://r.example', 'file:///etc/shadow'],
    ['https://r.example', 'https://user:secret@cdn.example/x'],
    ['http://127.0.0.1:5000', 'http://cdn.example/x'],
  ])('%s may not send us to %s', (registry, target) => {
    expect(() => requireForeign(new URL(target), at(registry))).toThrow(refused);
  });

  test.each([
    ['https://r.example', 'https://cdn.example/x?sig=1'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:6000/x'],
    ['http://127.0.0.1:5000', 'https://cdn.example/x'],
  ])('%s may send us to %s', (registry, target) => {
    expect(() => requireForeign(new URL(target), at(registry))).not.toThrow();
  });

  test.each([
    ['127.0.0.1', 'public', false],
    ['10.0.0.1', 'public', false],
    ['169.254.169.254', 'public', false],
    ['169.254.169.254', 'loopback', false],
    ['::ffff:169.254.169.254', 'loopback', false],
    ['127.0.0.1', 'private', false],
    ['10.0.0.1', 'private', true],
    ['8.8.8.8', 'private', true],
    ['127.0.0.1', 'loopback', true],
    ['10.0.0.1', undefined, true],
    ['169.254.169.254', undefined, false],
  ] as const)('%s from a registry at a %s address: %s', (address, from, may) => {
    const check = () => requireAddress(address, new URL('https://x.example'), from);
    if (may) expect(check).not.toThrow();
    else expect(check).toThrow(refused);
  });
});

import type { RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Served, serve } from '../testing/serve.ts';
import { openDoor } from './door.ts';
import { sessionOf } from './guard.ts';

let lab: Served;
beforeAll(async () => {
  lab = await serve();
});
afterAll(() => lab.close());

type Method = 'GET' | 'POST';
interface Asked {
  readonly method?: Method;
  readonly url?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly payload?: string;
}

async function ask({ method = 'GET', url = '/api/session', headers = {}, payload }: Asked): Promise<{ status: number; code: string }> {
  const body = method === 'POST' ? { payload: payload ?? '{}' } : {};
  const type = method === 'POST' ? { 'content-type': 'application/json' } : {};
  const all = Object.fromEntries(Object.entries({ ...type, ...headers }).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
  const response = await lab.server.app.inject({ method, url, headers: all, ...body });
  const code = response.headers['content-type']?.toString().includes('json') ? (response.json().code ?? '') : '';
  return { status: response.statusCode, code };
}

describe('Host', () => {
  test.each(['127.0.0.1:4600', 'localhost:4600', '[::1]:4600', 'LOCALHOST:4600'])('%s is ours', async (host) => {
    expect(await ask({ headers: { ...lab.headers(lab.alice), host, origin: undefined } })).toMatchObject({ status: 200 });
  });

  test.each([
    'evil.test',
    'evil.test:4600',
    '127.0.0.1',
    '127.0.0.1:80',
    'localhost:4601',
    '127.0.0.1.evil.test:4600',
    '2130706433:4600',
    '[::ffff:127.0.0.1]:4600',
  ])('%s is not, whatever the origin says', async (host) => {
    const headers = { ...lab.headers(lab.alice), host };
    expect(await ask({ headers: { ...headers, origin: `http://${host}` } })).toEqual({ status: 421, code: 'E_HOST' });
    expect(await ask({ url: '/healthz', headers: { host } })).toEqual({ status: 421, code: 'E_HOST' });
    expect(await ask({ url: '/', headers: { host } })).toEqual({ status: 421, code: 'E_HOST' });
  });

  test.each(['http://evil.test/api/session', '//evil.test/api/session', 'api', '*'])(
    'the request target %s is no path of ours',
    (target) => {
      const door = openDoor({ host: '127.0.0.1', port: 4600, publicOrigin: undefined, devOrigin: undefined });
      const request = { method: 'GET', upgrade: false, host: '127.0.0.1:4600', origin: undefined, site: undefined };
      expect(() => door.check({ ...request, target })).toThrow(expect.objectContaining({ code: 'E_TARGET' }));
    },
  );
});

describe('Origin', () => {
  const EVIL = [
    'http://evil.test',
    'null',
    'https://127.0.0.1:4600',
    'http://127.0.0.1:4601',
    'http://127.0.0.1',
    'https://good.evil',
    'HTTP://127.0.0.1:4600',
    '',
  ];
  test.each(EVIL)('%j may neither read nor change anything', async (origin) => {
    const headers = { ...lab.headers(lab.alice), origin };
    expect(await ask({ headers })).toEqual({ status: 403, code: 'E_ORIGIN' });
    expect(await ask({ method: 'POST', url: '/api/terminals', headers })).toEqual({ status: 403, code: 'E_ORIGIN' });
  });

  test('a change must say where it comes from; reading need not', async () => {
    const headers = { ...lab.headers(lab.alice), origin: undefined };
    expect(await ask({ method: 'POST', url: '/api/terminals', headers })).toEqual({ status: 403, code: 'E_ORIGIN' });
    expect(await ask({ headers })).toMatchObject({ status: 200 });
  });

  test.each(['cross-site', 'same-site', 'none'])('a %s request changes nothing, with our origin or not', async (site) => {
    const headers = { ...lab.headers(lab.alice), 'sec-fetch-site': site };
    expect(await ask({ method: 'POST', url: '/api/terminals', headers })).toEqual({ status: 403, code: 'E_ORIGIN' });
  });

  test('a link from elsewhere may open the page but not read the API', async () => {
    const headers = { host: '127.0.0.1:4600', 'sec-fetch-site': 'cross-site' };
    expect(await ask({ url: '/', headers })).toMatchObject({ status: 200 });
    expect(await ask({ headers: { ...lab.headers(lab.alice), ...headers } })).toEqual({ status: 403, code: 'E_ORIGIN' });
  });

  test('no answer allows another origin to read it', async () => {
    const response = await lab.server.app.inject({
      url: '/api/session',
      headers: { ...lab.headers(lab.alice), origin: 'http://evil.test' },
    });
    expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});

describe('bodies', () => {
  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json', undefined])(
    'a body of type %s is not taken',
    async (type) => {
      const headers = { ...lab.headers(lab.alice), 'content-type': type };
      expect(await ask({ method: 'POST', url: '/api/terminals', headers })).toEqual({ status: 415, code: 'E_CONTENT_TYPE' });
    },
  );

  test('a body that is too large, broken or of another shape is refused', async () => {
    const post = (payload: string, url = '/api/lessons/first/hint') =>
      ask({ method: 'POST', url, headers: lab.headers(lab.alice), payload });
    expect(await post(JSON.stringify({ task: 'x'.repeat(70_000), grade: 1 }))).toEqual({ status: 413, code: 'E_BODY_TOO_LARGE' });
    expect(await post('{')).toMatchObject({ status: 400 });
    expect(await post('{"task":"run","grade":9}')).toEqual({ status: 400, code: 'E_BODY' });
    expect(await post('{"__proto__":{"x":1},"task":"run","grade":1}')).toMatchObject({ status: 400 });
    expect(await post('{"surprise":1}', '/api/terminals')).toEqual({ status: 400, code: 'E_BODY' });
  });
});

describe('login', () => {
  const login = (code: string, cookie?: string) =>
    lab.server.app.inject({
      method: 'POST',
      url: '/api/login',
      headers: { ...lab.headers(), 'content-type': 'application/json', ...(cookie && { cookie }) },
      payload: JSON.stringify({ code }),
    });

  test('a code works once, and begins a session of its own whatever cookie was there', async () => {
    const code = lab.sessions.issueCode('alice');
    const first = await login(code, 'slipway-4600=planted');
    expect(first.statusCode).toBe(200);
    const set = String(first.headers['set-cookie']);
    expect(set).toMatch(/^slipway-4600=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(set).not.toContain('planted');
    expect((await login(code)).json()).toMatchObject({ code: 'E_LOGIN_CODE' });
  });

  test('guessing is slow', async () => {
    const answers = [];
    for (let i = 0; i < 12; i += 1) answers.push((await login(`guess ${i}`)).statusCode);
    expect(answers.at(-1)).toBe(429);
  });
});

test('while the lab starts, a good session is told to come again and not that it is over', async () => {
  lab.store.addLearner('late', 'Late');
  const { cookie, session } = lab.sessions.login(lab.sessions.issueCode('late'));
  const headers = lab.headers({ ...lab.alice, cookie, token: session.token });
  const status = async () => await ask({ method: 'GET', url: '/api/session', headers });
  lab.learners.starting = true;
  expect(await status()).toEqual({ status: 503, code: 'E_STARTING' });
  lab.learners.starting = false;
  expect(await status()).toEqual({ status: 401, code: 'E_SESSION' });
});

test('what the browser is told about every answer', async () => {
  for (const url of ['/', '/api/session', '/nothing', '/_next/static/app-0123.js']) {
    const { headers } = await lab.server.app.inject({ url, headers: { host: '127.0.0.1:4600' } });
    expect(headers['content-security-policy'], url).toContain("frame-ancestors 'none'");
    expect(headers['x-content-type-options'], url).toBe('nosniff');
    expect(headers['referrer-policy'], url).toBe('no-referrer');
  }
});

test('the page is served, its hashed files for good, and nothing that was not meant to be', async () => {
  const get = (url: string) => lab.server.app.inject({ url, headers: { host: '127.0.0.1:4600' } });
  expect((await get('/')).headers).toMatchObject({ 'cache-control': 'no-cache', 'content-type': 'text/html; charset=utf-8' });
  expect((await get('/_next/static/app-0123.js')).headers['cache-control']).toContain('immutable');
  for (const url of [
    '/.env',
    '/_next/static/app-0123.js.map',
    '/..%2f.env',
    '/%2e%2e/.env',
    '/web/../.env',
    '/index.html%00.js',
    '/\\..\\.env',
  ]) {
    expect((await get(url)).statusCode, url).toBeGreaterThanOrEqual(400);
  }
});

/** Every route of the server, as Fastify knows them. */
describe('the routes', () => {
  const routes: RouteOptions[] = [];
  beforeAll(async () => {
    const { default: Fastify } = await import('fastify');
    const app = Fastify();
    app.addHook('onRoute', (route) => void routes.push(route));
    const { addRoutes } = await import('../http/routes.ts');
    const { addSocket } = await import('../socket/add-socket.ts');
    await app.register((await import('@fastify/websocket')).default);
    const options = { ...lab, host: { version: '', kernel: '', cgroupMode: 'v2' as const }, cookieName: () => '', secureCookie: false };
    addRoutes(app, options);
    addSocket(app, options);
    await app.ready();
  });
  const table = () =>
    routes
      .filter(({ method }) => method !== 'HEAD')
      .map(({ method, url, config }) => ({ method: method as Method, url, access: config?.access ?? 'session' }));

  test('ask for a session and, where they change something, for its token; these and no others do not', async () => {
    expect(table().filter(({ access }) => access !== 'session')).toEqual([
      { method: 'GET', url: '/healthz', access: 'public' },
      { method: 'POST', url: '/api/login', access: 'login' },
    ]);
    for (const { method, url, access } of table()) {
      if (access !== 'session') continue;
      const path = url.replace(':slug', 'first').replace(':id', 't-1');
      expect(await ask({ method, url: path, headers: lab.headers() }), `${method} ${url}`).toEqual({ status: 401, code: 'E_SESSION' });
      const forged = { ...lab.headers(lab.alice), cookie: 'slipway-4600=forged' };
      expect(await ask({ method, url: path, headers: forged }), `${method} ${url}`).toEqual({ status: 401, code: 'E_SESSION' });
      if (method === 'GET') continue;
      for (const token of [undefined, '', 'wrong', lab.bob.token]) {
        const headers = { ...lab.headers(lab.alice), 'x-slipway': token };
        expect(await ask({ method, url: path, headers }), `${method} ${url}`).toEqual({ status: 403, code: 'E_TOKEN' });
      }
    }
  });

  test('with an id of another learner answer as if it did not exist', async () => {
    const [own] = lab.alice.learner.lab.terminals;
    expect(own).toBeDefined();
    const withId = table().filter(({ url }) => url.includes(':id'));
    expect(withId.length).toBeGreaterThan(0);
    for (const { method, url } of withId) {
      const path = url.replace(':id', own?.id ?? '');
      expect(await ask({ method, url: path, headers: lab.headers(lab.bob) }), `${method} ${url}`).toEqual({
        status: 404,
        code: 'E_NOT_FOUND',
      });
    }
    expect(lab.alice.learner.lab.terminals).toContainEqual(own);
  });

  test('change nothing by GET or HEAD', async () => {
    const picture = () =>
      JSON.stringify([lab.alice.learner.lab.terminals, lab.alice.learner.lab.status, lab.store.tasks('alice', 'first')]);
    const before = picture();
    for (const { method, url } of table()) {
      if (method !== 'GET' || url === '/api/socket') continue;
      await ask({ url: url.replace(':slug', 'first').replace(':id', 't-1'), headers: lab.headers(lab.alice) });
    }
    expect(picture()).toBe(before);
  });

  test('cannot be written without a session in reach', () => {
    expect(() => sessionOf({ learnerSession: null } as Parameters<typeof sessionOf>[0])).toThrow(
      expect.objectContaining({ code: 'E_SESSION' }),
    );
  });
});

test('behind TLS the cookie is of this host alone: one that a sibling of its domain planted is none', async () => {
  const origin = 'https://lab.example.org';
  const behindTls = await serve({ publicOrigin: origin });
  const headers = { host: 'lab.example.org', origin, 'content-type': 'application/json' };
  const payload = { code: behindTls.sessions.issueCode('alice') };
  const answer = await behindTls.server.app.inject({ method: 'POST', url: '/api/login', headers, payload });
  const set = String(answer.headers['set-cookie']);
  expect(set).toMatch(/^__Host-slipway-4600=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  const [cookie = ''] = set.split(';');
  const status = async (sent: string) =>
    (await behindTls.server.app.inject({ url: '/api/session', headers: { ...headers, cookie: sent } })).statusCode;
  expect([await status(cookie), await status(cookie.replace('__Host-', ''))]).toEqual([200, 401]);
  await behindTls.close();
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as ask, createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseReference } from '@slipway/oci';
import { afterEach, describe, expect, test } from 'vitest';
import { RegistryClient } from './client.ts';
import { proxyFor, readProxyRules } from './proxy.ts';
import { StubRegistry } from './testing/stub-registry.ts';

const PROXY = 'http://proxy.lan:3128';

describe('which proxy', () => {
  const rules = readProxyRules({
    HTTP_PROXY: 'plain.lan',
    https_proxy: PROXY,
    NO_PROXY: 'near.lan, .below.lan,*.star.lan,10.0.0.0/8,192.168.1.1,with.port:8443,2001:db8::/32',
  });

  test.each<[string, string | undefined]>([
    ['http://a.example/', 'http://plain.lan/'],
    ['https://a.example/', `${PROXY}/`],
    ['https://near.lan/', undefined],
    ['https://very.near.lan/', undefined],
    ['https://linear.lan/', `${PROXY}/`],
    ['https://notnear.lan/', `${PROXY}/`],
    ['https://below.lan/', `${PROXY}/`],
    ['https://x.below.lan/', undefined],
    ['https://x.star.lan/', undefined],
    ['https://10.2.3.4/', undefined],
    ['https://11.2.3.4/', `${PROXY}/`],
    ['https://192.168.1.1/', undefined],
    ['https://192.168.1.11/', `${PROXY}/`],
    ['https://with.port:8443/', undefined],
    ['https://with.port/', `${PROXY}/`],
    ['https://[2001:db8::1]/', undefined],
    ['https://localhost/', undefined],
    ['https://127.0.0.9:5000/', undefined],
    ['https://[::1]/', undefined],
  ])('%s: %s', (url, proxy) => {
    expect(proxyFor(new URL(url), rules)?.href).toBe(proxy);
  });

  test('* is for everything; nothing set is no proxy', () => {
    expect(proxyFor(new URL('http://a.example'), readProxyRules({ http_proxy: PROXY, no_proxy: '*' }))).toBeUndefined();
    expect(readProxyRules({ NO_PROXY: 'x', HTTP_PROXY: '' })).toBeUndefined();
  });

  test.each(['socks5://user:secret@a', 'https://user:secret@a', 'http://'])('%s is refused, and not quoted', (text) => {
    expect(() => readProxyRules({ HTTPS_PROXY: text })).toThrow(
      expect.objectContaining({ code: 'E_REGISTRY_PROXY', message: expect.not.stringContaining('secret') }),
    );
  });
});

/** A proxy that takes every name for the one server there is, and remembers what it was asked. */
class TestProxy {
  readonly asked: string[] = [];
  readonly #server: Server;

  constructor(port: number, answer = 200) {
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      const { pathname, search } = new URL(request.url ?? '');
      const { 'proxy-authorization': _own, ...headers } = request.headers;
      const passed = ask({ host: '127.0.0.1', port, method: request.method, path: pathname + search, headers }, (from) => {
        response.writeHead(from.statusCode ?? 502, from.headers);
        from.pipe(response);
      });
      request.pipe(passed);
    });
    this.#server.on('connect', (request, socket, head) => {
      this.asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      if (answer !== 200) return void socket.end(`HTTP/1.1 ${answer} No\r\n\r\n`);
      const to = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connected\r\n\r\n');
        to.write(head);
        socket.pipe(to).pipe(socket);
      });
      to.on('error', () => socket.destroy());
      socket.on('error', () => to.destroy());
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://user:pass@127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const USER = `Basic ${Buffer.from('user:pass').toString('base64')}`;

describe('through it', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });
  const proxyTo = async (port: number, answer?: number) => {
    const proxy = new TestProxy(port, answer);
    open.push(proxy);
    return { proxy, url: await proxy.start() };
  };

  test('plain http: the whole address, who we are, and no look-up of our own; what NO_PROXY names is not asked of it', async () => {
    const stub = await StubRegistry.start();
    open.push({ close: () => stub[Symbol.asyncDispose]() });
    stub.manifest('a', 'latest', { schemaVersion: 2 });
    const { proxy, url } = await proxyTo(stub.port);
    const insecureRegistries = ['registry.invalid'];
    const client = new RegistryClient({ insecureRegistries, proxies: readProxyRules({ HTTP_PROXY: url }) });
    const found = await client.resolve(parseReference('registry.invalid/a'));
    found.repository[Symbol.dispose]();
    expect(proxy.asked).toContain(`GET http://registry.invalid/v2/a/manifests/latest ${USER}`);
    const past = new RegistryClient({ insecureRegistries, proxies: readProxyRules({ HTTP_PROXY: url, NO_PROXY: '.invalid' }) });
    const before = proxy.asked.length;
    await expect(past.resolve(parseReference('registry.invalid/a'))).rejects.toMatchObject({ code: 'E_REGISTRY_UNREACHABLE' });
    expect(proxy.asked).toHaveLength(before);
    // A literal address that nobody may be sent to is refused, whatever the proxy would say.
    await expect(client.resolve(parseReference('169.254.169.254/a'))).rejects.toMatchObject({ code: 'E_REGISTRY_ADDRESS' });
    expect(proxy.asked.filter((line) => line.includes('169.254'))).toEqual([]);
  });

  test('https: through a tunnel, the certificate checked by the registry’s name, not the proxy’s', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'proxy-'));
    open.push({ close: async () => rmSync(directory, { recursive: true }) });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
    const subject = ['-subj', '/CN=registry.invalid', '-addext', 'subjectAltName=DNS:registry.invalid'];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-out', 'ca.crt', '-days', '2'], { cwd: directory, stdio: 'pipe' });
    const [cert, secret] = ['ca.crt', 'key.pem'].map((name) => readFileSync(join(directory, name)));
    const server = createTlsServer({ cert, key: secret }, (request, response) =>
      response
        .writeHead(request.url?.includes('/manifests/') === true ? 200 : 404, {
          'content-type': 'application/vnd.oci.image.manifest.v1+json',
        })
        .end('{"schemaVersion":2}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push({
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    });
    const { port } = server.address() as AddressInfo;
    const { proxy, url } = await proxyTo(port);
    execFileSync(
      'sh',
      ['-c', 'mkdir -p certs/registry.invalid certs/other.invalid && cp ca.crt certs/registry.invalid/ && cp ca.crt certs/other.invalid/'],
      { cwd: directory },
    );
    const certificatesDirectory = join(directory, 'certs');
    const client = (proxies = readProxyRules({ HTTPS_PROXY: url })) => new RegistryClient({ certificatesDirectory, proxies });
    const found = await client().resolve(parseReference('registry.invalid/a'));
    found.repository[Symbol.dispose]();
    expect(proxy.asked).toEqual([`CONNECT registry.invalid:443 ${USER}`]);
    const ping = async (of: RegistryClient, domain: string) => {
      using repository = await of.open({ domain, path: 'a' }, 'pull');
      await repository.ping();
    };
    await expect(ping(client(), 'other.invalid')).rejects.toMatchObject({ code: 'E_REGISTRY_UNREACHABLE' });
    const refusing = await proxyTo(port, 407);
    const refused = ping(client(readProxyRules({ HTTPS_PROXY: refusing.url })), 'registry.invalid');
    await expect(refused).rejects.toMatchObject({
      code: 'E_REGISTRY_UNREACHABLE',
      message: expect.stringMatching(/proxy at .* answered 407/),
    });
  });
});

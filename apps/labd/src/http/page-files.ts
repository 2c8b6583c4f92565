/**
 * The built page, served as files.
 *
 * Knows: which files may be kept by the browser for good, which must be asked for again, and which are not served.
 * Does not know: what is in them.
 */
import { existsSync, readFileSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { API_POLICY, documentPolicy } from '../access/headers.ts';

const FOREVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

/** Answers what does not exist: people get the page's own words, programs a failure. */
export function addNotFound(app: FastifyInstance, webDir: string): void {
  const page = existsSync(`${webDir}/404.html`) ? readFileSync(`${webDir}/404.html`) : undefined;
  const policy = documentPolicy(webDir);
  app.setNotFoundHandler((request, reply) => {
    const forPeople = page !== undefined && !request.url.startsWith('/api/') && (request.headers.accept ?? '').includes('text/html');
    if (forPeople) return reply.code(404).header('content-security-policy', policy).type('text/html; charset=utf-8').send(page);
    return reply.code(404).send({ code: 'E_NOT_FOUND', message: `there is no ${request.method} ${request.url.slice(0, 100)}` });
  });
}

export async function addPageFiles(app: FastifyInstance, webDir: string): Promise<void> {
  const policy = documentPolicy(webDir);
  if (!existsSync(`${webDir}/index.html`)) {
    app.get('/', { config: { access: 'public' } }, (_request, reply) =>
      reply.code(503).type('text/plain; charset=utf-8').send('The page is not built yet: run `npm run build`, or `npm run dev`.\n'),
    );
    return;
  }
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' };
    });
    await scope.register(fastifyStatic, {
      root: webDir,
      wildcard: false,
      preCompressed: true,
      dotfiles: 'deny',
      cacheControl: false,
      globIgnore: ['**/*.map', '**/csp.json', '**/*.br', '**/*.gz', '**/.*'],
      setHeaders: (reply, path) => {
        reply.header('cache-control', path.includes('/_next/static/') ? FOREVER : ASK_AGAIN);
        reply.header('content-security-policy', /\.html(\.br|\.gz)?$/.test(path) ? policy : API_POLICY);
      },
    });
  });
}

/**
 * The built page, served as files.
 *
 * Knows: which files may be kept by the browser for good, which must be asked for again, and which are not served.
 * Does not know: what is in them.
 */
import { existsSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { API_POLICY, documentPolicy } from '../access/headers.ts';

const FOREVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

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

/**
 * How the page is built: a static export that labd serves from one origin.
 *
 * Knows: the bundler's settings. Does not know: where it is served; there is no server-side rendering and no image service.
 */
import { resolve } from 'node:path';
import type { NextConfig } from 'next';

const config: NextConfig = {
  output: 'export',
  distDir: '.next',
  reactStrictMode: true,
  poweredByHeader: false,
  images: { unoptimized: true },
  devIndicators: false,
  // `npm run dev` puts page and labd behind one origin, so requests reach the bundler with that one.
  allowedDevOrigins: ['127.0.0.1'],
  // Types are checked by `npm run types` over the same files, with the same settings; once is enough.
  typescript: { ignoreBuildErrors: true },
  transpilePackages: ['@slipway/ui', '@slipway/journal', '@slipway/terminal', '@slipway/lessons', '@slipway/contracts'],
  turbopack: { root: resolve(import.meta.dirname, '../..') },
};

export default config;

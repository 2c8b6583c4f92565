/**
 * Journeys of a learner in a real browser against a real lab: engine, machines, terminals, kernel.
 *
 *     npm run test:e2e                      as root; the page has to be built (npm run build)
 *     CHROMIUM=/path/to/chromium npm run test:e2e -- journeys/phone.spec.ts
 *
 * Knows: the browser and how it is started. Does not know: the lab (parts/lab.ts).
 */
import { defineConfig } from '@playwright/test';

/** How the browser is started, here and by `npm run bench -- page`. */
export const BROWSER = {
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

export default defineConfig({
  testDir: './journeys',
  outputDir: '../test-results',
  // Two files at a time: each journey has a lab of its own and counts only what belongs to it. One file's journeys go one after another.
  workers: 2,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  // A journey that passes only the second time is reported as flaky.
  retries: process.env['CI'] === undefined ? 0 : 1,
  forbidOnly: process.env['CI'] !== undefined,
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: false },
    screenshot: 'only-on-failure',
    video: 'off',
    actionTimeout: 10_000,
    launchOptions: BROWSER,
  },
});

import { readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';
export const url = readFileSync('/tmp/s/fake.log', 'utf8').match(/http\S+/)[0];
export const origin = new URL(url).origin;
export async function open({ width = 1440, height = 900, scheme = 'light', phone = false, state } = {}) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const ctx = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    hasTouch: phone,
    isMobile: phone,
    ...(state ? { storageState: state } : {}),
  });
  const page = await ctx.newPage();
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') console.log('console', m.type(), m.text().slice(0, 400));
  });
  page.on('pageerror', (e) => console.log('pageerror', e.message.slice(0, 500)));
  return { browser, ctx, page };
}

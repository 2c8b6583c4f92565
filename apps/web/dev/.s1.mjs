import { open, url } from './.shot.mjs';

const { browser, ctx, page } = await open();
await page.goto(url);
await page.waitForTimeout(3500);
console.log(page.url());
await page.screenshot({ path: '/tmp/s/shots/1.png' });
await ctx.storageState({ path: '/tmp/s/state.json' });
await browser.close();

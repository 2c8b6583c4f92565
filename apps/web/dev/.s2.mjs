import { open, origin } from './.shot.mjs';

const opt = JSON.parse(process.argv[2] || '{}');
const tag = process.argv[3] || 'l';
const { browser, page } = await open({ state: '/tmp/s/state.json', ...opt });
await page.goto(origin + '/');
await page.waitForTimeout(2500);
await page
  .getByRole('button', { name: /^Run docker run -d --name web/ })
  .first()
  .click();
await page.waitForTimeout(1200);
await page.screenshot({ path: `/tmp/s/shots/${tag}-proc.png` });
await page
  .getByRole('treeitem', { name: /container’s init/ })
  .first()
  .click();
await page.waitForTimeout(500);
await page.screenshot({ path: `/tmp/s/shots/${tag}-procsel.png` });
for (const [name] of [['Namespaces'], ['cgroups'], ['Layers'], ['Call chain']]) {
  await page.getByRole('tab', { name, exact: true }).click();
  await page.waitForTimeout(600);
  await page.screenshot({ path: `/tmp/s/shots/${tag}-${name.replace(' ', '')}.png` });
}
await page.getByText('Flame').click();
await page.waitForTimeout(500);
await page.screenshot({ path: `/tmp/s/shots/${tag}-flame.png` });
await browser.close();

/** Every main state of the page, light and dark, large and small: no serious finding of axe; and a screenshot to look at. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '../parts/page.ts';
import { DESKTOP_STATES, PHONE_STATES, type State } from '../parts/states.ts';

const SCREENSHOTS = new URL('../screenshots/', import.meta.url).pathname;
const SIZES = {
  desktop: { use: { viewport: { width: 1440, height: 900 } }, states: DESKTOP_STATES },
  phone: { use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, states: PHONE_STATES },
} as const;

// The longest journeys of all.
test.describe.configure({ mode: 'parallel' });

for (const [size, { use, states }] of Object.entries(SIZES)) {
  for (const scheme of ['light', 'dark'] as const) {
    test.describe(`${size}, ${scheme}`, () => {
      test.use({ ...use, colorScheme: scheme, contextOptions: { reducedMotion: 'reduce' } });
      test(`no serious finding in any state, ${size}, ${scheme}`, async ({ lab, labPage, page }) => {
        test.setTimeout(400_000);
        await labPage.open(lab.address);
        await labPage.run('docker run -d --name web busybox sleep 300');
        await expect(labPage.task('Start a container called web', 'done')).toBeVisible();
        // On a phone the terminal lies over the lesson by now.
        await labPage.type('docker exec web rm /etc/profile');
        await expect(labPage.task('Delete a file of the image', 'done')).toBeVisible();
        for (const state of states satisfies readonly State[]) {
          await test.step(state.name, async () => {
            await state.enter(labPage);
            await page.screenshot({ path: `${SCREENSHOTS}${size}-${scheme}-${state.name}.png` });
            const { violations } = await new AxeBuilder({ page }).analyze();
            const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
            const told = serious.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
            expect.soft(told, `${size} ${scheme} ${state.name}`).toEqual([]);
            await state.leave?.(labPage);
          });
        }
      });
    });
  }
}

/** Every main state of the page, large and small, light and dark: no serious finding of axe; and a screenshot of each to look at. */
import type { RunOptions } from 'axe-core';
import { seriousFindings } from '../parts/axe.ts';
import { expect, type LabPage, test } from '../parts/page.ts';
import { DESKTOP_STATES, PHONE_STATES, type State } from '../parts/states.ts';

const SCREENSHOTS = new URL('../screenshots/', import.meta.url).pathname;
const SIZES = {
  desktop: { use: { viewport: { width: 1440, height: 900 } }, states: DESKTOP_STATES },
  phone: { use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, states: PHONE_STATES },
} as const;

// The longest journeys of all.
test.describe.configure({ mode: 'parallel' });
// A trace copies the whole page at every step, and each state leaves its pictures anyway.
test.use({ trace: 'off' });

for (const [size, { use, states }] of Object.entries(SIZES)) {
  test.describe(size, () => {
    test.use({ ...use, contextOptions: { reducedMotion: 'reduce' } });
    test(`no serious finding in any state, ${size}, light and dark`, async ({ lab, labPage }) => {
      test.setTimeout(400_000);
      await labPage.open(lab.address);
      await labPage.run('docker run -d --name web busybox sleep 300');
      await expect(labPage.task('Start a container called web', 'done')).toBeVisible();
      // On a phone the terminal lies over the lesson by now.
      await labPage.type('docker exec web rm /etc/profile');
      await expect(labPage.task('Delete a file of the image', 'done')).toBeVisible();
      for (const state of states) await test.step(state.name, () => lookAt(labPage, size, state));
    });
  });
}

/** What axe is asked: everything first, and of the other colours what depends on colours, of the rules that it asks by itself. */
const LOOKS: readonly { readonly colorScheme: 'light' | 'dark'; readonly rules: RunOptions }[] = [
  { colorScheme: 'light', rules: {} },
  { colorScheme: 'dark', rules: { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } } },
];

/** A state is entered once and looked at in both colour schemes, which the page follows without being loaded again. */
async function lookAt(labPage: LabPage, size: string, state: State): Promise<void> {
  const { page } = labPage;
  await state.enter(labPage);
  for (const { colorScheme, rules } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${SCREENSHOTS}${size}-${colorScheme}-${state.name}.png` });
    expect.soft(await seriousFindings(page, rules), `${size} ${colorScheme} ${state.name}`).toEqual([]);
  }
  await state.leave?.(labPage);
}

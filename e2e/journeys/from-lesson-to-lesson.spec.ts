/** The table of contents, one task of a later lesson by click, on to the next lesson, and back: with addresses that keep up. */
import { seriousFindings } from '../parts/axe.ts';
import { expect, type LabPage, test } from '../parts/page.ts';

const SCREENSHOTS = new URL('../screenshots/', import.meta.url).pathname;

async function expectAccessible({ page }: LabPage, name: string): Promise<void> {
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  expect.soft(await seriousFindings(page), name).toEqual([]);
}

test('from the list to lesson 3, a task by a click, the next lesson and back', async ({ lab, labPage, page }) => {
  test.setTimeout(150_000);
  await labPage.open(lab.address);
  await labPage.chooseLesson('Control groups');
  await expect(page).toHaveURL(/#\/control-groups\/cgroups/);
  await expect(page).toHaveTitle('Control groups · Slipway');

  await labPage.run('mkdir /sys/fs/cgroup/memory/small; ls /sys/fs/cgroup/memory/small');
  await expect(labPage.task('Limit memory by writing a file', 'not done yet')).toContainText(/I see the group \/small with no limit/);
  await labPage.run('echo 32M > /sys/fs/cgroup/memory/small/memory.limit_in_bytes');
  await expect(labPage.task('Limit memory by writing a file', 'done')).toBeVisible();
  await expect(page.getByRole('region', { name: 'cgroups explorer' }).getByRole('button', { name: /small/ }).first()).toBeVisible();
  await expectAccessible(labPage, 'lesson-3');

  await page.getByRole('button', { name: /^All lessons; now/ }).click();
  const list = page.getByRole('dialog', { name: 'Lessons' });
  await expect(list.getByRole('link', { name: /Lesson 3: Control groups .*1 of 8 tasks ?, begun/ })).toHaveAttribute(
    'aria-current',
    'page',
  );
  await expect(list.getByRole('region', { name: 'The standards' })).toContainText('The runtime spec, hands on');
  await expectAccessible(labPage, 'lesson-list');
  await page.keyboard.press('Escape');

  await labPage.lesson.getByRole('button', { name: /^Next: / }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Union file systems' })).toBeFocused();
  await expect(page.getByRole('heading', { level: 1, name: 'Union file systems' })).toBeInViewport();
  await expect(page).toHaveURL(/#\/union-file-systems\/layers/);

  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: 'Control groups' })).toBeVisible();
  await expect(labPage.task('Limit memory by writing a file', 'done')).toBeVisible();
  await expect(page).toHaveURL(/#\/control-groups/);

  const tooOld = page.getByText(/^This browser is too old/);
  await expect(tooOld).toBeHidden();
  await page.addInitScript(() => Reflect.deleteProperty(Array.prototype, 'toSorted'));
  await page.reload();
  await expect(tooOld).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('the list fits, and a lesson chosen in it lies on top', async ({ lab, labPage, page }) => {
    await labPage.open(lab.address);
    await page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Picture' }).tap();
    await page.getByRole('button', { name: /^All lessons; now/ }).tap();
    const overflow = await page.getByRole('dialog').evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await expectAccessible(labPage, 'lesson-list-phone');
    await page.getByRole('link', { name: /Lesson 8: The runtime spec/ }).tap();
    await expect(page.getByRole('heading', { level: 1, name: 'The runtime spec, hands on' })).toBeInViewport();
    await expectAccessible(labPage, 'lesson-8-phone');
  });
});

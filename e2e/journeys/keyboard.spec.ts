/** The whole way without a mouse. */
import { expect, test } from '../parts/page.ts';

test('by keyboard alone: run a command, explore, read evidence, and out again', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  const { keyboard } = page;
  const focused = page.locator(':focus');

  await test.step('? shows the map of keys, Escape closes it', async () => {
    await keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    await keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  await test.step('Tab reaches a command of the lesson, Enter runs it', async () => {
    const command = labPage.lesson.getByRole('button', { name: 'Run docker run -d --name web busybox sleep 300' });
    await expect(async () => {
      await keyboard.press('Tab');
      await expect(command).toBeFocused({ timeout: 50 });
    }).toPass();
    await keyboard.press('Enter');
    await expect(labPage.process('container’s init')).toBeVisible();
  });

  await test.step('t goes into the terminal, Ctrl+Shift+Enter out of it to the explorers’ tabs', async () => {
    await focused.evaluate((element) => (element as HTMLElement).blur());
    await keyboard.press('t');
    await expect(labPage.terminal).toBeFocused();
    await keyboard.type('docker exec web touch /root/hello');
    await keyboard.press('Enter');
    await expect(labPage.task('Write a file inside', 'done')).toBeVisible();
    await keyboard.press('Control+Shift+Enter');
    await expect(page.getByRole('tab', { name: 'Processes' })).toBeFocused();
  });

  await test.step('arrows go through tabs and tree, Enter selects and shows the evidence', async () => {
    await keyboard.press('ArrowRight');
    await expect(page.getByRole('tab', { name: 'Namespaces' })).toHaveAttribute('aria-selected', 'true');
    await keyboard.press('1');
    await expect(page.getByRole('tab', { name: 'Processes' })).toHaveAttribute('aria-selected', 'true');
    const rows = page.getByRole('treeitem');
    await expect(async () => {
      await keyboard.press('Tab');
      await expect(page.getByRole('tree').locator(':focus')).toHaveCount(1, { timeout: 50 });
    }).toPass();
    await keyboard.press('End');
    await keyboard.press('Home');
    for (let step = 0; step < 20 && !((await focused.textContent()) ?? '').includes('container’s init'); step += 1)
      await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await expect(rows.filter({ hasText: 'container’s init' })).toHaveAttribute('aria-selected', 'true');
    await expect(page.getByRole('region', { name: 'Evidence' })).toContainText('/proc/');
    await keyboard.press('Escape');
    await expect(page.getByRole('region', { name: 'Evidence' })).toHaveCount(0);
  });

  await test.step('numbers choose the explorer, v the text twin, Space pauses, End returns to now', async () => {
    await focused.evaluate((element) => (element as HTMLElement).blur());
    await keyboard.press('4');
    await expect(page.getByRole('region', { name: 'Layers explorer' })).toBeVisible();
    await keyboard.press('v');
    await expect(page.getByRole('table', { name: /^Layers of web/ })).toBeVisible();
    await keyboard.press('Space');
    await expect(labPage.timeline.getByRole('button', { name: 'Play' })).toBeVisible();
    await keyboard.press('End');
    await expect(labPage.timeline.getByRole('button', { name: 'Pause' })).toBeVisible();
    await keyboard.press('f');
    await expect(page.getByRole('button', { name: 'Shrink explorers' })).toBeVisible();
    await keyboard.press('Escape');
    await expect(page.getByRole('button', { name: 'Fill the page with explorers' })).toBeVisible();
  });
});

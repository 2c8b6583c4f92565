/** The terminal's manners: several lines ask before they are pasted, lines can be searched, shells stand side by side. */
import type { Locator } from '@playwright/test';
import { expect, test } from '../parts/page.ts';

test('several pasted lines are shown and asked about first; no runs nothing, yes runs them all', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  await labPage.readScreen();
  const lines = 'echo one-$((40+2))\necho two-$((40+3))\n';
  const dialog = page.getByRole('dialog', { name: 'Paste 2 lines?' });

  await paste(labPage.terminal, lines);
  await expect(dialog).toContainText('echo two-');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);

  await paste(labPage.terminal, 'echo one line asks nothing');
  await expect(labPage.screen).toContainText('echo one line asks nothing');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await labPage.type('');

  await paste(labPage.terminal, lines);
  await dialog.getByRole('button', { name: 'Paste' }).click();
  await expect(labPage.terminal).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(labPage.screen).toContainText('one-42');
  await expect(labPage.screen).toContainText('two-43');
});

test('a search finds what stands in the terminal, says when nothing does, and gives the keyboard back', async ({ lab, labPage, page }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await labPage.open(lab.address);
  await labPage.readScreen();
  await labPage.type('seq -f needle-%g- 1 60');
  await expect(labPage.screen).toContainText('needle-60-');
  await labPage.terminal.press('Control+Shift+F');
  const search = page.getByRole('searchbox', { name: 'Search in terminal' });
  await expect(search).toBeFocused();
  await search.fill('no such hay');
  await expect(page.getByRole('search').getByText('not found')).toBeVisible();
  // One that has scrolled out of sight.
  await search.fill('needle-7-');
  await expect(search).toHaveAttribute('aria-invalid', 'false');
  await search.press('Enter');
  await search.press('Escape');
  await expect(search).toHaveCount(0);
  await expect(labPage.terminal).toBeFocused();
  await page.keyboard.press('Control+Shift+C');
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('needle-7-');
});

test('several shells stand side by side, each with its own state; one that is closed leaves the others', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  await labPage.readScreen();
  const terminal = page.getByRole('region', { name: 'Terminal' });
  const tab = (name: string) => terminal.getByRole('tab', { name });
  await labPage.type('mine=first; echo set-$mine');
  await expect(labPage.screen).toContainText('set-first');

  await terminal.getByRole('button', { name: 'New terminal' }).click();
  await expect(tab('shell 2')).toHaveAttribute('aria-selected', 'true');
  const visibleScreen = terminal.getByRole('list').locator('visible=true').last();
  await expect(visibleScreen).toContainText('root@lab');
  await terminal.getByRole('textbox', { name: 'Terminal input' }).locator('visible=true').focus();
  await page.keyboard.type('echo here-$mine-\n');
  await expect(visibleScreen).toContainText('here--');

  await tab('shell 1').click();
  await expect(visibleScreen).toContainText('set-first');
  await terminal.getByRole('textbox', { name: 'Terminal input' }).locator('visible=true').focus();
  await page.keyboard.type('echo still-$mine\n');
  await expect(visibleScreen).toContainText('still-first');

  await terminal.getByRole('button', { name: 'Close terminal 2' }).click();
  await expect(terminal.getByRole('tab')).toHaveCount(1);
  await expect(tab('shell 1')).toHaveAttribute('aria-selected', 'true');
});

/** As the browser tells it after Ctrl+Shift+V. */
async function paste(into: Locator, text: string): Promise<void> {
  await into.focus();
  await into.evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', pasted);
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

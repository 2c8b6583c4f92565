/** The same on a phone: the lesson first, commands by taps, picture and terminal as sheets over it. */
import { expect, test } from '../parts/page.ts';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

test('a container’s life by taps', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  const panes = page.getByRole('navigation', { name: 'Panes' });
  await expect(panes.getByRole('button', { name: 'Lesson' })).toHaveAttribute('aria-pressed', 'true');
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow, 'nothing hangs over the edge').toBeLessThanOrEqual(0);

  await labPage.lesson.getByRole('button', { name: 'Run docker run -d --name web busybox sleep 300' }).tap();
  await expect(labPage.task('Start a container called web', 'done')).toBeVisible();

  await panes.getByRole('button', { name: 'Picture' }).tap();
  const picture = page.getByRole('region', { name: 'Explorers' });
  await expect(picture.getByRole('treeitem').filter({ hasText: 'container’s init' })).toBeVisible();
  await labPage.show('Namespaces');
  await expect(picture.getByRole('button', { name: /^pid namespace \d+ 1 process in it/ })).toBeVisible();

  await panes.getByRole('button', { name: 'Terminal' }).tap();
  const commands = page.getByRole('navigation', { name: 'Commands of the lesson' });
  await commands.getByRole('button', { name: 'docker exec web touch /root/hello' }).tap();
  await commands.getByRole('button', { name: 'kill -9' }).tap();
  await expect(page.getByRole('toolbar', { name: 'Terminal keys' }).getByRole('button', { name: 'Ctrl-C' })).toBeVisible();

  await panes.getByRole('button', { name: 'Lesson' }).tap();
  await expect(labPage.task('Write a file inside', 'done')).toBeVisible();
  await expect(labPage.task('End it from outside', 'done')).toBeVisible();

  await panes.getByRole('button', { name: 'Picture' }).tap();
  await labPage.show('Processes');
  await expect(labPage.living('container’s init')).toHaveCount(0);
});

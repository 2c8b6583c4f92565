/** A learner steps through a birth, looks at the mount table around pivotRoot, and sees what leaks without the pid namespace. */
import { expect, test } from '../parts/page.ts';

test('a container’s birth, stepped through, looked at, entered, and left incomplete', async ({ lab, labPage, page }) => {
  test.setTimeout(180_000);
  await labPage.open(lab.address);
  const explorer = await labPage.show('Birth');
  const status = explorer.getByRole('status');
  const mounts = explorer.getByRole('table', { name: /Mounts as the process sees them/ });
  const button = (name: string) => explorer.getByRole('button', { name, exact: true });
  await expect(status).toContainText(/\d\d operations planned/, { timeout: 30_000 });

  await test.step('a breakpoint before pivotRoot: the machine’s files are still in sight', async () => {
    await explorer.getByRole('button', { name: /^Breakpoint before pivotRoot/ }).click();
    await button('Begin').click();
    await expect(status).toContainText('pivotRoot', { timeout: 30_000 });
    const card = explorer.getByRole('article', { name: 'Operation pivotRoot' });
    await expect(card).toContainText('pivot_root(".", ".")');
    await expect(card).toContainText('/root/path');
    await expect(card).toContainText(/packages\/launcher\/native\/root\.c:\d+/);
    await expect(explorer.getByRole('list', { name: 'Namespaces' }).getByRole('listitem').filter({ hasText: 'pid' })).toContainText(
      'its own',
    );
    await expect(mounts.getByRole('row').filter({ hasText: 'ext4' }).first()).toBeVisible();
    await expect(explorer.getByText('var/', { exact: true })).toBeVisible();
  });

  await test.step('a step: the machine’s mounts are gone and marked so, one / is left, and the root directory is another', async () => {
    await button('Step').click();
    await expect(status).not.toContainText('pivotRoot');
    await expect(mounts.getByRole('row').filter({ hasText: '− gone' }).filter({ hasText: 'ext4' }).first()).toBeVisible();
    await expect(explorer.getByText(/Since the stop before, up to pivotRoot: mount table: .*gone.*root directory/)).toBeVisible();
    const roots = mounts.getByRole('row').filter({ has: page.getByRole('cell', { name: '/', exact: true }) });
    await expect(roots.filter({ hasNotText: '− gone' })).toHaveCount(1);
    await expect(explorer.getByRole('heading', { name: /Root directory.*changed/ })).toBeVisible();
  });

  await test.step('a shell in the half-born container sees what it sees', async () => {
    await button('Shell here').click();
    await expect(page.getByRole('tab', { name: /half-born \d/ })).toHaveAttribute('aria-selected', 'true');
    await page.getByRole('button', { name: 'Screen reader mode' }).click();
    await labPage.type('hostname; echo $((40+2))');
    await expect(labPage.screen).toContainText('42');
    await expect(labPage.screen).toContainText('workbench');
  });

  await test.step('back is to do it again', async () => {
    await button('Back').click();
    await expect(status).toContainText('pivotRoot', { timeout: 30_000 });
  });

  await test.step('to the end, and started', async () => {
    await button('Continue').click();
    await expect(status).toContainText('created');
    await button('Start').click();
    await expect(status).toContainText('ended with 0');
  });

  await test.step('without the pid namespace: the probe counts what it should not see', async () => {
    await explorer
      .getByRole('button', { name: /^✓ ?clone|^clone|clone/ })
      .last()
      .click();
    await explorer.getByRole('checkbox', { name: 'without the pid namespace' }).click();
    await expect(status).toContainText('clone', { timeout: 30_000 });
    await button('What leaks?').click();
    const leaks = explorer.getByRole('region', { name: 'What leaks' });
    const row = leaks.getByRole('row').filter({ hasText: 'machine’s engine' });
    await expect(row.getByRole('cell')).toHaveText(['Can it see the machine’s engine run?', 'no', 'yes', '⚠ yes'], { timeout: 60_000 });
  });

  await test.step('runc’s birth of the same document, as the kernel saw it, joined with ours', async () => {
    await explorer.getByText('runc’s beside it').click();
    const lanes = explorer.getByRole('region', { name: 'Ours and runc, joined' });
    await expect(explorer.getByText(/runc version .* system calls recorded/)).toBeVisible({ timeout: 60_000 });
    await lanes.getByRole('button', { name: /ours: mount \/proc , the same job in runc: \d+ mount \/proc/ }).click();
    const step = explorer.getByRole('article', { name: /^Step \d+ of runc/ });
    await expect(step).toContainText('mount(…, …, …, 0, NULL)');
    await expect(step).toContainText('/proc: known from the mount table it left');
    await expect(explorer.getByRole('article', { name: 'Operation mount' })).toContainText('fsopen("proc")');
    await lanes.getByRole('button', { name: /ours: pivotRoot , the same job in runc: \d+ pivot_root/ }).click();
    await expect(step).toContainText('pivot_root(…, …)');
    await lanes.getByRole('button', { name: /ours: joinCgroup/ }).click();
    await expect(explorer.getByText(/written to a file; afterwards \/proc\/PID\/cgroup says \/\S*peer/).last()).toBeVisible();
    await explorer.getByText('one birth').click();
  });

  await test.step('undone: nothing is left in the machine', async () => {
    await button('Undo').click();
    await expect(status).toContainText('planned');
    await page.getByRole('tab', { name: /shell 1/ }).click();
    await labPage.type(
      'echo left=$(ls -d /run/slipway/workbench/bundles/* /sys/fs/cgroup/*/birth-* /sys/fs/cgroup/*/peer-* 2>/dev/null | wc -l)',
    );
    await expect(labPage.screen).toContainText('left=0');
  });
});

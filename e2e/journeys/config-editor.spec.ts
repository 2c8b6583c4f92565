/** A config.json from somebody's hands to the kernel's files, and back by links; nothing of it is run without a click. */
import { ConfigEditor } from '../parts/editor.ts';
import { expect, test } from '../parts/page.ts';

test('host name, program, memory and a mount are edited, run, and followed to the kernel', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  await labPage.readScreen();
  const editor = new ConfigEditor(page);
  await editor.open();

  await test.step('the form writes the JSON, and the plan says what each field will do', async () => {
    await editor.fill('Host name', 'harbour');
    await editor.fill('argument 1', 'sh');
    for (const [index, text] of ['-c', 'uname -n; touch /scratch/here && sleep 1'].entries()) {
      await page.getByRole('button', { name: 'Add argument' }).click();
      await editor.fill(`argument ${index + 2}`, text);
    }
    await page.getByRole('button', { name: 'Add mount' }).click();
    await editor.fill('Memory', '64m');
    await expect(editor.json).toContainText('"limit": 67108864');
    await expect(editor.operation(/^\W*new\W*writeLimit .*memory\.\S+ 67108864/)).toBeVisible();
    await expect(editor.operation(/^\W*new\W*mount \/scratch tmpfs/)).toBeVisible();
    await expect(editor.operation(/^\W*changed\W*hostname harbour/)).toBeVisible();
    await expect(editor.issues.getByRole('status')).toHaveText('Nothing is wrong with the text.');
  });

  await test.step('it runs once, and the program saw what was asked for', async () => {
    await editor.run();
    await expect(editor.side.getByText('ended with exit code 0')).toBeVisible();
    await expect(editor.side.getByText('harbour', { exact: true }).first()).toBeVisible();
  });

  await test.step('the memory field leads to its cgroup file, the operation and the JSON', async () => {
    await editor.side.getByRole('table').getByRole('button', { name: '/linux/resources/memory/limit' }).click();
    await expect(editor.field.getByRole('heading')).toHaveText('/linux/resources/memory/limit');
    await expect(editor.field.getByRole('list', { name: 'Operations it causes' })).toContainText('writeLimit');
    const kernel = editor.field.getByRole('list', { name: 'What the kernel showed' });
    await expect(kernel).toContainText(/\/sys\/fs\/cgroup\/\S*(memory\.limit_in_bytes|memory\.max)/);
    await expect(kernel).toContainText('67108864');
  });

  await test.step('a line of the kernel leads back to the field that asked for it', async () => {
    await editor.side.getByRole('button', { name: /mountinfo .*\/scratch/ }).click();
    await expect(editor.field.getByRole('heading')).toHaveText(/^\/mounts\/\d+$/);
    await expect(editor.field.getByRole('list', { name: 'Operations it causes' })).toContainText('/scratch tmpfs');
  });

  await test.step('what the last run had is what the next edits are compared with', async () => {
    await page.getByRole('group', { name: 'Shown beside' }).getByText('Plan').click();
    await expect(editor.side.getByText('against the last run: 0 new, 0 changed, 0 gone')).toBeVisible();
    await editor.fill('Host name', 'quay');
    await expect(editor.side.getByText('against the last run: 0 new, 1 changed, 0 gone')).toBeVisible();
  });

  await test.step('a program that wants a terminal has one: it is typed into, interrupted, as wide as it looks, and ended', async () => {
    await page.getByRole('region', { name: 'Form' }).getByRole('checkbox', { name: 'Terminal' }).check();
    await editor.fill('argument 3', 'uname -n; exec sh');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const terminal = page.getByRole('region', { name: 'Terminal of the run' });
    const screen = terminal.getByRole('list');
    await expect(screen).toContainText('quay', { timeout: 30_000 });
    await expect(editor.side.getByRole('table').getByRole('button', { name: '/hostname', exact: true })).toBeVisible({
      timeout: 30_000,
    });
    await terminal.getByRole('textbox', { name: 'Terminal input' }).focus();
    await page.keyboard.type('sleep 600\n');
    await expect(screen).toContainText('sleep 600');
    await page.keyboard.press('Control+c');
    await page.keyboard.type('echo size=$(stty size)=$((40+2))\n');
    await expect(screen).toContainText(/size=[1-9]\d* [1-9]\d+=42/);
    await page.keyboard.type('exit 3\n');
    await expect(terminal.getByRole('status')).toHaveText('The program ended with exit code 3.');
  });

  await test.step('the bundle is exported into the machine', async () => {
    await page.getByRole('button', { name: 'Export' }).click();
    const dialog = page.getByRole('dialog', { name: 'Export' });
    await dialog.getByRole('button', { name: 'Put the bundle into the machine' }).click();
    await expect(dialog.getByRole('status')).toContainText('cd /root/bundle-1 && runc run demo', { timeout: 30_000 });
    await page.keyboard.press('Escape');
  });

  await test.step('a run whose terminal is closed takes its container with it', async () => {
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(page.getByRole('region', { name: 'Terminal of the run' }).getByRole('list')).toContainText('quay', { timeout: 30_000 });
    await page.getByRole('button', { name: 'Lab', exact: true }).click();
    await page
      .getByRole('tab', { name: /^run \d/ })
      .last()
      .locator('..')
      .getByRole('button')
      .last()
      .click();
    await page.getByRole('tab', { name: /^shell 1/ }).click();
    await labPage.type('while ls -d /run/slipway/workbench/terminals/*; do sleep 0.3; done >/dev/null 2>&1; echo all=$((40+2))');
    await expect(labPage.screen).toContainText('all=42', { timeout: 30_000 });
  });

  await test.step('the exported bundle is one: runc runs it, by hand', async () => {
    await labPage.type('cd /root/bundle-1 && runc run demo');
    await expect(labPage.screen).toContainText('quay', { timeout: 30_000 });
    await labPage.type('echo in=$((40+2)); exit');
    await expect(labPage.screen).toContainText('in=42');
  });
});

test('every issue is shown at its place, those between fields too; broken text rests the forms', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  const editor = new ConfigEditor(page);
  await editor.open();
  await editor.fill('Working directory', 'tmp');
  await editor.fill('User id', 'root');
  await editor.fill('Memory', '4k');
  await page.getByRole('checkbox', { name: /uts/ }).uncheck();
  const issue = (text: string | RegExp) => editor.issues.getByRole('button', { name: text });
  await expect(issue(/^\/process\/cwd "tmp" is not an absolute path/)).toBeVisible();
  await expect(issue(/^\/process\/user\/uid is "root", needs to be a whole number/)).toBeVisible();
  await expect(issue(/^\/linux\/resources\/memory\/limit is 4096 bytes, too low/)).toBeVisible();
  await expect(issue(/^\/hostname needs a uts namespace/)).toBeVisible();
  await expect(editor.issues.getByRole('status')).toHaveText('4 issues');
  const form = page.getByRole('region', { name: 'Form' });
  await expect(form.getByRole('group', { name: 'Host name' })).toContainText('needs a uts namespace');

  await issue(/^\/process\/cwd/).click();
  await expect(editor.field.getByRole('heading')).toHaveText('/process/cwd');
  await expect(editor.json).toContainText('"cwd": "tmp"');

  await editor.json.focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' }');
  await expect(editor.issues.getByRole('status')).toHaveText('1 issue');
  await expect(form.getByText('The text is not JSON at this moment.')).toBeVisible();
  await expect(form.getByRole('textbox', { name: 'Host name' })).toBeDisabled();
  await page.keyboard.press('Control+z');
  await expect(form.getByRole('textbox', { name: 'Host name' })).toBeEnabled();
});

test('completion and hover explain fields, by keyboard and by mouse', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  const editor = new ConfigEditor(page);
  await editor.open();
  await editor.json.getByText('"noNewPrivileges"').hover();
  await expect(page.getByText(/prctl\(PR_SET_NO_NEW_PRIVS\)/).first()).toBeVisible();
  await editor.json.focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('"dom');
  await page.keyboard.press('Control+ ');
  await page.getByRole('option', { name: 'domainname' }).click();
  await expect(editor.json).toContainText('"domainname"');
});

test('a link reopens the document, comments and all, and runs nothing', async ({ lab, labPage, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await labPage.open(lab.address);
  const editor = new ConfigEditor(page);
  await editor.open();
  await editor.json.focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('// from a friend\n');
  await editor.fill('Host name', 'harbour');
  await expect(editor.operation('hostname harbour')).toBeVisible();
  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByText('The link is copied.')).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toContain('#/~config?c=');

  const other = await context.newPage();
  await other.addInitScript(() => localStorage.removeItem('slipway.config'));
  await other.goto(link);
  const reopened = new ConfigEditor(other);
  await reopened.planned();
  await expect(reopened.json).toContainText('// from a friend');
  await expect(other.getByRole('textbox', { name: 'Host name' })).toHaveValue('harbour');
  await other.getByRole('group', { name: 'Shown beside' }).getByText('Run').click();
  await expect(reopened.side.getByText('Nothing was run yet')).toBeVisible();
  await other.goto(link.replace(/c=.*/, 'c=AAAA'));
  await expect(other.getByRole('alert').filter({ hasText: 'does not hold a document' })).toBeVisible();
  await other.close();

  await test.step('a lesson’s link opens the document of a docker run line; from there to the stepper and back', async () => {
    await page.goto(`${new URL(link).origin}/#/control-groups`);
    await labPage.lesson.getByRole('link', { name: 'The document that this line becomes' }).click();
    await expect(page.getByRole('textbox', { name: 'Memory' })).toHaveValue('64m');
    await page.getByRole('button', { name: 'Step through' }).click();
    const birth = page.getByRole('region', { name: 'Birth explorer' });
    await expect(birth.getByRole('status')).toContainText(/operations planned/, { timeout: 30_000 });
    await expect(birth.getByRole('button', { name: /exec sleep, 1000/ }).last()).toBeAttached();
    await birth.getByText('for a copy of busybox').click();
    await birth.getByRole('button', { name: 'Open in the editor' }).click();
    await expect(page.getByText('from the birth stepper')).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Memory' })).toHaveValue('64m');
  });
});

test('from a docker run line, guessed and compared; from a running container', async ({ lab, labPage, page }) => {
  await labPage.open(lab.address);
  await labPage.run('docker run -d --name web busybox sleep 300');
  await expect(labPage.task('Start a container called web', 'done')).toBeVisible({ timeout: 60_000 });
  const editor = new ConfigEditor(page);
  await editor.open();
  const dialog = page.getByRole('dialog', { name: 'Start from' });

  await page.getByRole('button', { name: 'Start from …' }).click();
  await dialog.getByText('docker run line').click();
  await dialog.getByLabel('--memory').fill('/linux/resources/memory');
  await dialog.getByLabel('--hostname').fill('/process/args');
  await dialog.getByRole('button', { name: 'Compare' }).click();
  await expect(dialog.getByRole('row', { name: /^--memory ✓ right/ })).toContainText('/linux/resources/memory/limit');
  await expect(dialog.getByRole('row', { name: /^--hostname ✗ elsewhere/ })).toContainText('/hostname');
  await dialog.getByRole('button', { name: 'Edit this document' }).click();
  await editor.planned();
  await expect(editor.field).toContainText('Set by --memory of the docker run line.');

  await page.getByRole('button', { name: 'Start from …' }).click();
  await dialog.getByText('running container').click();
  await dialog.getByRole('button', { name: /^web/ }).click();
  await expect(page.getByText('from container web')).toBeVisible();
  await editor.planned();
  await expect(page.getByRole('textbox', { name: 'argument 1' })).toHaveValue('sleep');
});

/**
 * The main states of the page, each reached as a learner would, for whoever wants to look at all of them.
 *
 * Knows: how to get there, on desktop and phone, with a container called web running.
 * Does not know: what is looked at.
 */
import { ConfigEditor } from './editor.ts';
import { type Explorer, expect, type LabPage, type Locator } from './page.ts';

export interface State {
  readonly name: string;
  readonly enter: (lab: LabPage) => Promise<void>;
  readonly leave?: (lab: LabPage) => Promise<void>;
}

const EXPLORERS: readonly Explorer[] = ['Processes', 'Namespaces', 'cgroups', 'Layers', 'Image graph', 'Call chain'];

const as = async ({ page }: LabPage, how: 'Picture' | 'Text'): Promise<void> => {
  await page.getByRole('radio', { name: how, exact: true }).check({ force: true });
};

/** Nothing of it is asked for any more. */
const answered = async (explorer: Locator): Promise<void> =>
  expect(explorer.getByRole('status', { name: /^(Asking|Loading|Reading|Waiting)/ })).toHaveCount(0, { timeout: 30_000 });

const explorers: readonly State[] = EXPLORERS.flatMap((explorer) => {
  const slug = explorer.toLowerCase().replace(' ', '-');
  return [
    {
      name: slug,
      enter: async (lab) => {
        await answered(await lab.show(explorer));
        await as(lab, 'Picture');
      },
    },
    { name: `${slug}-text`, enter: async (lab) => as(lab, 'Text'), leave: async (lab) => as(lab, 'Picture') },
  ];
});

const choose = async ({ page }: LabPage, option: string): Promise<void> =>
  page.getByRole('region', { name: 'Layers explorer' }).locator('label').filter({ hasText: option }).click();

/** Two images joined with a layer chosen; a container's files layer by layer; an image's layers, file by file. */
const images: readonly State[] = [
  {
    name: 'image-graph-two',
    enter: async (lab) => {
      const explorer = await lab.show('Image graph');
      await explorer.getByRole('combobox', { name: 'beside' }).selectOption('web:latest');
      await expect(explorer.getByRole('status')).toContainText('are in both');
      await explorer
        .getByRole('button', { name: /^manifest/ })
        .first()
        .click();
    },
    leave: async ({ page }) => {
      await page.getByRole('combobox', { name: 'beside' }).selectOption('');
    },
  },
  {
    name: 'layers-files',
    enter: async (lab) => {
      const explorer = await lab.show('Layers');
      await explorer.getByRole('button', { name: 'Files, layer by layer' }).click();
      await explorer.getByRole('button', { name: 'etc/', exact: true }).click();
      await expect(explorer.getByRole('listitem').filter({ hasText: /^profile/ })).toContainText('deleted by a whiteout');
    },
    leave: async ({ page }) => page.getByRole('button', { name: 'Files, layer by layer' }).click(),
  },
  {
    name: 'layers-image',
    enter: async (lab) => {
      const explorer = await lab.show('Layers');
      await choose(lab, 'Image');
      await explorer.getByRole('button', { name: 'etc/', exact: true }).click();
      await explorer.getByRole('button', { name: 'passwd', exact: true }).click();
      await expect(explorer.getByRole('region', { name: 'Content of the file' })).toBeVisible();
    },
    leave: async (lab) => choose(lab, 'Container'),
  },
];

/** Something pulled, something built, and what both take. */
const store: readonly State[] = [
  {
    name: 'pull-timeline',
    enter: async (lab) => {
      const phone = lab.page.getByRole('navigation', { name: 'Panes' });
      const isPhone = await phone.isVisible();
      if (isPhone) await phone.getByRole('button', { name: 'Terminal' }).click();
      await lab.type(
        "mkdir /tmp/t; printf 'FROM busybox AS a\\nRUN echo a > /a\\nFROM busybox\\nCOPY --from=a /a /b\\n' > /tmp/t/Dockerfile; docker pull -q layers-demo; docker build -t tiny /tmp/t",
      );
      if (isPhone) await phone.getByRole('button', { name: 'Picture' }).click();
      const pulls = await lab.show('Pull timeline');
      await expect(pulls.getByRole('button', { name: /^pull layers-demo:latest done/ })).toBeVisible({ timeout: 30_000 });
    },
  },
  {
    name: 'build-graph',
    enter: async (lab) => {
      const builds = await lab.show('Build graph');
      await expect(builds.getByRole('button', { name: /^tiny \d/ })).toBeVisible({ timeout: 30_000 });
      await builds.getByRole('button', { name: /RUN echo a > \/a/ }).click();
    },
    leave: async ({ page }) => page.getByRole('button', { name: 'Close evidence' }).click(),
  },
  {
    name: 'disk',
    enter: async (lab) => {
      const disk = await lab.show('Disk');
      await expect(disk.getByText(/^1 container sees/)).toBeVisible({ timeout: 30_000 });
    },
  },
];

/** A birth that stands still after pivotRoot, then one without its pid namespace and what that leaks, then runc's beside ours. */
const births: readonly State[] = [
  {
    name: 'birth',
    enter: async (lab) => {
      const explorer = await lab.show('Birth');
      const status = explorer.getByRole('status');
      await expect(status).toContainText(/operations planned/, { timeout: 30_000 });
      await explorer.getByRole('button', { name: /^Breakpoint before pivotRoot/ }).click();
      await explorer.getByRole('button', { name: 'Begin', exact: true }).click();
      await expect(status).toContainText('pivotRoot', { timeout: 30_000 });
      await explorer.getByRole('button', { name: 'Step', exact: true }).click();
      await expect(status).not.toContainText('pivotRoot');
    },
  },
  { name: 'birth-text', enter: async (lab) => as(lab, 'Text'), leave: async (lab) => as(lab, 'Picture') },
  {
    name: 'birth-leaks',
    enter: async ({ page }) => {
      const explorer = page.getByRole('region', { name: 'Birth explorer' });
      await explorer.getByRole('button', { name: /^clone / }).click();
      await explorer.getByRole('checkbox', { name: 'without the pid namespace' }).click();
      await explorer.getByRole('button', { name: 'What leaks?' }).click();
      await expect(explorer.getByRole('region', { name: 'What leaks' })).toBeVisible({ timeout: 60_000 });
    },
    leave: async ({ page }) => page.getByRole('button', { name: 'Undo', exact: true }).click(),
  },
  {
    name: 'birth-peer',
    enter: async ({ page }) => {
      const explorer = page.getByRole('region', { name: 'Birth explorer' });
      await explorer.getByText('runc’s beside it').click();
      await expect(explorer.getByText(/runc version .* system calls recorded/)).toBeVisible({ timeout: 60_000 });
      await explorer.getByRole('button', { name: /ours: pivotRoot , the same job in runc/ }).click();
      await expect(explorer.getByRole('article', { name: /^Step \d+ of runc/ })).toBeVisible();
    },
  },
  {
    name: 'birth-peer-text',
    enter: async (lab) => as(lab, 'Text'),
    leave: async (lab) => {
      await as(lab, 'Picture');
      await lab.page.getByRole('region', { name: 'Birth explorer' }).getByText('one birth').click();
    },
  },
];

const evidence: State = {
  name: 'evidence',
  enter: async (lab) => {
    const { page } = lab;
    await lab.show('Call chain');
    await page.getByRole('button', { name: /^docker run -d --name web/ }).click();
    await page.getByRole('option', { name: /engine: container.start/ }).click();
    await expect(page.getByRole('region', { name: 'Evidence' })).toBeVisible();
  },
  leave: async ({ page }) => page.getByRole('button', { name: 'Close evidence' }).click(),
};

const cockpit: State = {
  name: 'cgroups-cockpit',
  enter: async (lab) => {
    await lab.show('cgroups');
    await lab.page.getByRole('button', { name: /^web / }).click();
    await lab.page.getByRole('slider', { name: 'Limit of memory' }).press('ArrowLeft');
    await expect(lab.page.getByRole('button', { name: 'Run in terminal' })).toBeVisible();
  },
  leave: async ({ page }) => page.getByRole('button', { name: /^Clear selection of container web/ }).click(),
};

const flame: State = {
  name: 'flame',
  enter: async ({ page }) => page.getByRole('radio', { name: 'Flame' }).check({ force: true }),
  leave: async ({ page }) => page.getByRole('radio', { name: 'Sequence' }).check({ force: true }),
};

const timeline: State = {
  name: 'timeline',
  enter: async ({ timeline: pane }) => {
    await pane.getByRole('button', { name: 'Tall timeline' }).click();
    await pane.getByRole('button', { name: 'Pause' }).click();
  },
  leave: async ({ timeline: pane }) => {
    await pane.getByRole('button', { name: 'back to now' }).click();
    await pane.getByRole('button', { name: 'Thin timeline' }).click();
  },
};

function dialog(name: string, open: (lab: LabPage) => Promise<void>): State {
  return {
    name,
    enter: async (lab) => {
      await open(lab);
      await expect(lab.page.getByRole('dialog')).toBeVisible();
    },
    leave: async ({ page }) => {
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    },
  };
}

const dialogs: readonly State[] = [
  dialog('lessons', ({ page }) => page.getByRole('button', { name: /^All lessons; now/ }).click()),
  dialog('resets', ({ page }) => page.getByRole('button', { name: 'Other resets' }).click()),
];

const shortcuts = dialog('shortcuts', ({ page }) => page.getByRole('button', { name: 'Keyboard shortcuts' }).click());

const toLab = async ({ page }: LabPage): Promise<void> => page.getByRole('button', { name: 'Lab', exact: true }).click();

const editorDialog: State = {
  name: 'editor-start',
  enter: async ({ page }) => {
    await page.getByRole('button', { name: 'Start from …' }).click();
    await page.getByRole('dialog').getByText('docker run line').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Compare' }).click();
    await expect(page.getByRole('dialog').getByRole('table')).toBeVisible();
  },
  leave: async ({ page }) => {
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  },
};

const editorExport = dialog('editor-export', ({ page }) => page.getByRole('button', { name: 'Export' }).click());

/** The program's own terminal; the last of the editor's states. */
const editorTerminal: State = {
  name: 'editor-terminal',
  enter: async ({ page }) => {
    const views = page.getByRole('navigation', { name: 'Views' });
    if (await views.isVisible()) await views.getByText('Form', { exact: true }).click();
    await page.getByRole('region', { name: 'Form' }).getByRole('checkbox', { name: 'Terminal' }).check();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const terminal = page.getByRole('region', { name: 'Terminal of the run' });
    await expect(terminal.getByRole('textbox', { name: 'Terminal input' })).toBeFocused({ timeout: 30_000 });
    await expect(page.getByRole('region', { name: 'Plan and run' }).getByRole('table')).toBeVisible({ timeout: 30_000 });
  },
  leave: toLab,
};

const editor: readonly State[] = [
  {
    name: 'editor',
    enter: async ({ page }) => {
      await new ConfigEditor(page).open();
      await page.getByRole('region', { name: 'Form' }).getByRole('textbox', { name: 'Memory' }).focus();
    },
  },
  editorDialog,
  {
    name: 'editor-issues',
    enter: async ({ page }) => {
      const config = new ConfigEditor(page);
      await config.fill('Working directory', 'tmp');
      await expect(config.issues.getByRole('status')).toHaveText('1 issue');
    },
    leave: async ({ page }) => new ConfigEditor(page).fill('Working directory', '/'),
  },
  { name: 'editor-run', enter: async ({ page }) => new ConfigEditor(page).run() },
  editorExport,
  editorTerminal,
];

export const DESKTOP_STATES: readonly State[] = [
  ...explorers,
  ...images,
  cockpit,
  evidence,
  flame,
  ...store,
  ...births,
  timeline,
  ...dialogs,
  shortcuts,
  ...editor,
];

const sheet = (name: string, button: 'Lesson' | 'Picture' | 'Terminal'): State => ({
  name,
  enter: async ({ page }) => page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: button }).click(),
});

const editorViews: readonly State[] = (['JSON', 'Form', 'Plan', 'Run'] as const).map((view) => ({
  name: `editor-${view.toLowerCase()}`,
  enter: async (lab: LabPage) => {
    const { page } = lab;
    if (view === 'JSON') await page.getByRole('button', { name: 'config.json' }).click();
    await page.getByRole('navigation', { name: 'Views' }).getByText(view, { exact: true }).click();
    if (view === 'Plan') await new ConfigEditor(page).planned();
  },
}));

export const PHONE_STATES: readonly State[] = [
  sheet('lesson', 'Lesson'),
  sheet('terminal', 'Terminal'),
  sheet('picture', 'Picture'),
  ...explorers,
  ...images,
  cockpit,
  evidence,
  ...store,
  ...births,
  timeline,
  ...dialogs,
  ...editorViews,
  editorExport,
  editorTerminal,
];

/**
 * The lab's page as a learner handles it: by roles and names, never by classes.
 *
 * Knows: where things stand on the page, desktop and phone.
 * Does not know: what a journey wants to see.
 */
import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { Lab } from './lab.ts';

export type Explorer =
  | 'Processes'
  | 'Namespaces'
  | 'cgroups'
  | 'Layers'
  | 'Image graph'
  | 'Call chain'
  | 'Birth'
  | 'Pull timeline'
  | 'Build graph'
  | 'Disk';

export class LabPage {
  readonly page: Page;
  readonly lesson: Locator;
  readonly terminal: Locator;
  readonly timeline: Locator;
  readonly connection: Locator;

  constructor(page: Page) {
    this.page = page;
    this.lesson = page.getByRole('article', { name: /^Lesson/ });
    this.terminal = page.getByRole('textbox', { name: 'Terminal input' });
    this.timeline = page.getByRole('region', { name: 'Timeline' });
    this.connection = page.getByRole('button', { name: /^Connection:/ });
  }

  /** Opens the address that logs in and waits until the lab is ready to be used. */
  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.ready();
  }

  async ready(): Promise<void> {
    await expect(this.lesson).toBeVisible();
    await expect(this.connection).toHaveAccessibleName('Connection: live');
    await expect(this.lesson.getByRole('button', { name: /^Run/ }).first()).toBeEnabled();
  }

  /** A command of the lesson, run with a click. */
  async run(command: string): Promise<void> {
    await this.lesson.getByRole('button', { name: `Run ${command}` }).click();
  }

  /** By the table of contents. */
  async chooseLesson(title: string): Promise<void> {
    await this.page.getByRole('button', { name: /^All lessons; now/ }).click();
    await this.page
      .getByRole('dialog', { name: 'Lessons' })
      .getByRole('link', { name: new RegExp(`Lesson \\d+: ${title}`) })
      .click();
    await expect(this.page.getByRole('heading', { level: 1, name: title })).toBeVisible();
  }

  async type(line: string): Promise<void> {
    await this.terminal.focus();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  /** By its tab; on a phone by the menu. */
  async show(explorer: Explorer): Promise<Locator> {
    const menu = this.page.getByRole('combobox', { name: 'Explorer', exact: true });
    if (await menu.isVisible()) await menu.selectOption({ label: explorer });
    else await this.page.getByRole('tab', { name: explorer, exact: true }).click();
    return this.page.getByRole('region', { name: `${explorer} explorer` });
  }

  task(title: string, state: 'done' | 'not done yet'): Locator {
    return this.lesson.getByRole('region', { name: `Task: ${title} (${state})` });
  }

  /** Ended ones are still there for a while. */
  process(text: string | RegExp): Locator {
    return this.page.getByRole('treeitem').filter({ hasText: text });
  }

  living(text: string | RegExp): Locator {
    return this.process(text).filter({ hasNotText: 'ended' });
  }

  /** Has the terminal's text put where a screen reader, and a test, finds it. */
  async readScreen(): Promise<void> {
    await this.page.getByRole('button', { name: 'Screen reader mode' }).click();
    // A machine's first shell waits for the machine's engine.
    await expect(this.screen).toContainText('root@lab', { timeout: 30_000 });
  }

  /** What the terminal shows; after {@link readScreen}. */
  get screen(): Locator {
    return this.page.getByRole('region', { name: 'Terminal' }).getByRole('list').last();
  }
}

interface Fixtures {
  readonly lab: Lab;
  /** The page, not opened yet. */
  readonly labPage: LabPage;
}

export const test = base.extend<Fixtures>({
  lab: async ({ browserName: _ }, use, info) => {
    const lab = await Lab.start();
    await use(lab);
    const left = await lab.end();
    if (info.status !== info.expectedStatus && lab.errors !== '') await info.attach('labd', { body: lab.errors });
    expect(left, 'the lab leaves nothing behind').toEqual([]);
  },
  labPage: async ({ page }, use) => {
    await use(new LabPage(page));
  },
});

export { expect, type Locator, type Page };

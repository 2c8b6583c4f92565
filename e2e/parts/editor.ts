/**
 * The config.json editor as somebody handles it: by roles and names.
 *
 * Knows: where its parts stand. Does not know: what a journey edits.
 */
import { expect, type Locator, type Page } from '@playwright/test';

/** A machine plans within a moment; busy hosts take longer. */
const PLAN_MS = 30_000;

export class ConfigEditor {
  readonly page: Page;
  readonly json: Locator;
  readonly issues: Locator;
  readonly side: Locator;
  readonly field: Locator;

  constructor(page: Page) {
    this.page = page;
    this.json = page.getByRole('textbox', { name: 'config.json' });
    this.issues = page.getByRole('region', { name: 'Issues' });
    this.side = page.getByRole('region', { name: 'Plan and run' });
    this.field = page.getByRole('region', { name: 'The field' });
  }

  /** From the lab, and until the first plan is there. */
  async open(): Promise<void> {
    await this.page.getByRole('button', { name: 'config.json', exact: true }).click();
    await this.planned();
  }

  async planned(): Promise<void> {
    await expect(this.side.getByText(/^\d+ operations/)).toBeVisible({ timeout: PLAN_MS });
  }

  /** Fills a field of the form and leaves it. */
  async fill(label: string, text: string): Promise<void> {
    const input = this.page.getByRole('region', { name: 'Form' }).getByRole('textbox', { name: label, exact: true });
    await input.fill(text);
    await input.press('Enter');
  }

  /** Rows of the plan with this text. */
  operation(text: string | RegExp): Locator {
    return this.side.getByRole('row').filter({ hasText: text });
  }

  async run(): Promise<void> {
    await this.page.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(this.side.getByText(/ended with exit code|was ended after|failed:/)).toBeVisible({ timeout: 60_000 });
  }
}

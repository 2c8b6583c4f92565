/**
 * What axe finds on a page, without a frame of its own: the page has no frames, and putting axe in anew each time takes longer than asking it.
 *
 * Knows: which findings count. Does not know: what is looked at.
 */
import axe, { type RunOptions } from 'axe-core';
import type { Page } from './page.ts';

type WithAxe = typeof globalThis & { axe?: typeof axe };

/** @returns serious and critical findings, as sentences */
export async function seriousFindings(page: Page, rules: RunOptions = {}): Promise<string[]> {
  if (!(await page.evaluate(() => (globalThis as WithAxe).axe !== undefined))) await page.evaluate(axe.source);
  const options: RunOptions = { ...rules, resultTypes: ['violations'] };
  const found = await page.evaluate((asked) => (globalThis as WithAxe).axe?.run(asked), options);
  if (found === undefined) throw new Error('the page has lost axe');
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

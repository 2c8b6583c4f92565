import { PANEL_TITLES } from '@slipway/ui';
import { expect, test } from 'vitest';
import { PANEL_ORDER, panelKey } from './panel-groups.ts';

test('every explorer stands in one group, and has a digit of its own', () => {
  expect(PANEL_ORDER.toSorted()).toEqual(Object.keys(PANEL_TITLES).sort());
  expect(PANEL_ORDER.map(panelKey)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '0']);
});

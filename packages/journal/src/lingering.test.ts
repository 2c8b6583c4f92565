import { expect, test } from 'vitest';
import { isVisible, lingering } from './lingering.ts';
import { LIMITS, type Life } from './world.ts';

const ended = (goneAtMs: number): Life => ({ appearedAtMs: 0, goneAtMs });

test('what ended in a container stays longer than the machine’s own commands', () => {
  const at = 100_000;
  expect(isVisible(ended(at), undefined, at + LIMITS.lingerMs)).toBe(true);
  expect(isVisible(ended(at), undefined, at + LIMITS.lingerMs + 1)).toBe(false);
  expect(isVisible(ended(at), 'web', at + LIMITS.lingerMs + 1)).toBe(true);
  expect(isVisible(ended(at), 'web', at + LIMITS.containerLingerMs + 1)).toBe(false);
  expect(isVisible({ appearedAtMs: 0 }, undefined, Number.MAX_SAFE_INTEGER)).toBe(true);
});

test('however many commands of the machine end, a container’s end stays; of too many the newest do', () => {
  interface Entry extends Life {
    readonly container?: string;
  }
  const commands = Array.from({ length: LIMITS.gone + 5 }, (_, index): Entry => ended(2000 + index));
  const init: Entry = { ...ended(1000), container: 'web' };

  const left = lingering([init, ...commands], ({ container }) => container, 5000);

  expect(left).toContain(init);
  expect(left).toHaveLength(LIMITS.gone + 1);
  expect(left).toContain(commands.at(-1));
  expect(left).not.toContain(commands[0]);
});

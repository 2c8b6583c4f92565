/** What a program may print to hurt the one process that draws everybody's screens. */
import { afterEach, expect, test } from 'vitest';
import { MAX_SNAPSHOT_CHARS, Screen } from './screen.ts';

const screens: Screen[] = [];
afterEach(() => {
  for (const screen of screens.splice(0)) screen.dispose();
});

async function drawn(pieces: Iterable<string>, size = { cols: 80, rows: 24 }) {
  const screen = new Screen(size, { titled: () => undefined, commanded: () => undefined });
  screens.push(screen);
  for (const piece of pieces) await new Promise<void>((resolve) => screen.write(Buffer.from(piece), resolve));
  return await screen.snapshot();
}

const ACUTE = '\u0301';

test('a character carries as many marks as are in use, and not a stream of them', async () => {
  const family = '👩\u200d👩\u200d👧\u200d👦';
  const { text } = await drawn([`e${ACUTE} ${family} z${ACUTE.repeat(24)}`]);
  expect(text).toBe(`e${ACUTE} ${family} z${ACUTE.repeat(24)}`);

  // More than a snapshot may have; spread over cells, the last screenful of it is left.
  const flooded = await drawn(['a', ...Array.from({ length: 60 }, () => ACUTE.repeat(20_000))]);
  expect(flooded.offset).toBe(1 + 60 * 20_000 * 2);
  expect(flooded.text).toContain(ACUTE);
  expect(flooded.text.length).toBeLessThan(80 * 24 * 26);
});

test('characters are as wide as on pages', async () => {
  const { text } = await drawn(['🚢🚢\u001b[2D!']);
  expect(text).toBe('🚢!');
});

test('no screen makes a snapshot that is longer than may be sent', async () => {
  const cell = `x${ACUTE.repeat(24)}`;
  const line = cell.repeat(500);
  const { text } = await drawn(
    Array.from({ length: 200 }, () => `${line}\r\n`),
    { cols: 500, rows: 200 },
  );
  expect(text.length).toBeLessThanOrEqual(MAX_SNAPSHOT_CHARS);
});

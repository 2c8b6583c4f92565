/**
 * How wide characters are, and how many marks one of them may carry.
 *
 * Knows: Unicode 11, as pages have it (apps/web/src/terminal), so that a snapshot's columns are theirs; and that the emulator would
 *   put marks (accents, joiners) onto one character for as long as a program prints them.
 * Does not know: screens.
 */
import unicode11 from '@xterm/addon-unicode11';
import type headless from '@xterm/headless';

type Widths = headless.IUnicodeVersionProvider;

const VERSION = '11-bounded';
/** Marks of one character; the longest in use, emoji of families and flags, have fewer. */
const MAX_MARKS = 24;

/*
 * What the emulator keeps of a character to look at the next one: a number of the provider's own, the width, whether it joins the one before.
 *
 *     state:24 width:2 joins:1
 */
const JOINS = 1;
const STATE_SHIFT = 3;
const ALONE_WIDTH_1 = 1 << 1;

/** From here on a terminal measures as pages do; a mark too many stands in a cell of its own. */
export function boundMarks(terminal: headless.Terminal): void {
  terminal.unicode.register(bounded(unicodeEleven()));
  terminal.unicode.activeVersion = VERSION;
}

/** The state counts the marks that were joined one after the other. */
function bounded(widths: Widths): Widths {
  return {
    version: VERSION,
    wcwidth: (codepoint) => widths.wcwidth(codepoint),
    charProperties: (codepoint, preceding) => {
      const properties = widths.charProperties(codepoint, preceding);
      if ((properties & JOINS) === 0) return properties;
      const marks = (preceding >> STATE_SHIFT) + 1;
      return marks > MAX_MARKS ? ALONE_WIDTH_1 : properties | (marks << STATE_SHIFT);
    },
  };
}

/** The add-on hands its table to a terminal only. */
function unicodeEleven(): Widths {
  const found: Widths[] = [];
  const unicode = { register: (widths: Widths) => void found.push(widths), versions: [], activeVersion: '' };
  new unicode11.Unicode11Addon().activate({ unicode } as unknown as Parameters<
    InstanceType<typeof unicode11.Unicode11Addon>['activate']
  >[0]);
  const [widths] = found;
  if (widths === undefined) throw new TypeError('the add-on registered no widths');
  return widths;
}

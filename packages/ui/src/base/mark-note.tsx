/**
 * "This just changed, and why": the mark that every picture uses.
 *
 * Knows: how a Mark reads. Does not know: how it was found (journal's view-marks).
 */
import type { Mark } from '@slipway/journal';
import { formatAgo, visible } from './format.ts';

const WORDS = { appeared: 'appeared', gone: 'ended', changed: 'changed' } as const;

/** `appeared 0.8 s ago by docker run -d …` */
export function markText(mark: Mark): string {
  const by = mark.by ? ` by ${visible(mark.by.label)}` : '';
  return `${WORDS[mark.change]} ${formatAgo(mark.agoMs)}${by}`;
}

export function MarkNote({ mark }: { readonly mark: Mark }) {
  return (
    <span className={`mark ${mark.change}`} title={markText(mark)}>
      <span className="mark-dot" aria-hidden="true" />
      {WORDS[mark.change]} {formatAgo(mark.agoMs)}
      {mark.by ? (
        <>
          {' by '}
          <code>{visible(mark.by.label)}</code>
        </>
      ) : null}
    </span>
  );
}

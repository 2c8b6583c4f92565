/**
 * A file of a layer, part by part, as text or as hexadecimal.
 *
 * Knows: one part. Does not know: how it was read.
 */
import type { XrayFile } from '@slipway/contracts';
import { Button, IconButton } from '../base/controls.tsx';
import { formatBytes, visible } from '../base/format.ts';
import { layerName, showPart } from './model.ts';

export interface XrayContentProps {
  readonly file: XrayFile;
  readonly onOffset: (offset: number) => void;
  readonly onClose: () => void;
}

export function XrayContent({ file, onOffset, onClose }: XrayContentProps) {
  const part = showPart(file);
  const length = Math.floor((file.bytes.length * 3) / 4);
  const end = Math.min(file.sizeBytes, file.offset + length);
  return (
    <section className="xray-content" aria-label="Content of the file">
      <header>
        <h3>
          <code>{visible(file.path)}</code>
        </h3>
        <span>
          {layerName(file.layer)} · {formatBytes(file.sizeBytes)} · {part.form === 'text' ? 'text' : 'hexadecimal'}
        </span>
        <IconButton icon="cross" label="Close the file" onClick={onClose} />
      </header>
      {file.sizeBytes === 0 ? (
        <p className="browser-note">The file is empty.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable
        <pre tabIndex={0}>{part.form === 'text' ? part.text.split('\n').map(visible).join('\n') : part.lines.join('\n')}</pre>
      )}
      {file.offset > 0 || end < file.sizeBytes ? (
        <footer>
          <Button tone="quiet" disabled={file.offset === 0} onClick={() => onOffset(Math.max(0, file.offset - 32 * 1024))}>
            Before
          </Button>
          <span>
            bytes {file.offset} to {end} of {file.sizeBytes}
          </span>
          <Button tone="quiet" disabled={end >= file.sizeBytes} onClick={() => onOffset(end)}>
            After
          </Button>
        </footer>
      ) : null}
    </section>
  );
}

/**
 * The evidence drawer under a picture: facts, lines of the kernel, payloads, and commands to see the same.
 *
 * Knows: how evidence reads. Does not know: how it was gathered (evidence.ts).
 */
import { useState } from 'react';
import { Button, CopyButton, IconButton } from './controls.tsx';
import type { Evidence } from './evidence.ts';
import { visible } from './format.ts';
import { highlightJson } from './json.ts';

export function EvidencePanel(props: {
  readonly evidence: Evidence | undefined;
  readonly onType: (command: string) => void;
  readonly onClose: () => void;
}) {
  const { evidence } = props;
  const [tall, setTall] = useState(false);
  if (!evidence) {
    return (
      <section className="evidence" aria-label="Evidence">
        <header>
          <h3>Gone</h3>
          <IconButton icon="cross" label="Close evidence" onClick={props.onClose} />
        </header>
        <p className="evidence-gone">What was selected is not there at this moment. Go back in time to see it again.</p>
      </section>
    );
  }
  return (
    <section className={tall ? 'evidence tall' : 'evidence'} aria-label="Evidence">
      <header>
        <h3>{visible(evidence.title)}</h3>
        {evidence.source ? (
          <code className="source" title={`The code that did it: ${evidence.source}`}>
            {evidence.source}
          </code>
        ) : null}
        <IconButton
          icon="chevron"
          label={tall ? 'Less evidence' : 'More evidence'}
          pressed={tall}
          className="taller"
          onClick={() => setTall(!tall)}
        />
        <IconButton icon="cross" label="Close evidence" onClick={props.onClose} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
      <section className="evidence-body" tabIndex={0} aria-label="Facts and proof">
        <dl className="facts">
          {evidence.facts.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{visible(value)}</dd>
            </div>
          ))}
        </dl>
        <div className="proof">
          {evidence.commands.length > 0 ? (
            <div className="see-same">
              <span>See the same:</span>
              {evidence.commands.map((command) => (
                <Button
                  key={command}
                  tone="quiet"
                  className="mono"
                  title="Type this into the terminal; you press Enter"
                  onClick={() => props.onType(command)}
                >
                  {visible(command)}
                </Button>
              ))}
            </div>
          ) : null}
          {evidence.lines.length > 0 ? (
            <ul className="lines">
              {evidence.lines.map((line) => (
                <li key={`${line.where}${line.line}`}>
                  <code className="where">{visible(line.where)}</code>
                  <code className="line">{visible(line.line)}</code>
                </li>
              ))}
            </ul>
          ) : null}
          {evidence.payloads.map((payload) => (
            <figure key={payload.title} className="payload">
              <figcaption>
                {payload.title}
                <CopyButton text={payload.text} label={`Copy ${payload.title}`} />
              </figcaption>
              <pre>
                {highlightJson(payload.text).map((token, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: tokens of one immutable text
                  <span key={index} className={`json-${token.kind}`}>
                    {token.text}
                  </span>
                ))}
              </pre>
            </figure>
          ))}
        </div>
      </section>
    </section>
  );
}

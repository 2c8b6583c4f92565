/**
 * The last run: how it ended, what it wrote, and for each field the line of the kernel that shows it.
 *
 * Knows: one WorkbenchRun. Does not know: how evidence is gathered (the agent in the machine does).
 */
'use client';
import type { RunEvidence } from '@slipway/contracts';
import { EmptyState, Skeleton, visible, visibleLines } from '@slipway/ui';
import { useEffect, useRef } from 'react';
import { type DoneRun, isAbout, lookAt, useEditor } from '../editor-store.ts';
import { PointerButton } from './plan-view.tsx';
import { RunTerminal } from './run-terminal.tsx';

export function RunView() {
  const run = useEditor((state) => state.run);
  const busy = useEditor((state) => state.busy === 'run');
  const terminal = useEditor((state) => state.terminal);
  if (terminal !== undefined) {
    return (
      <div className="run-view">
        <RunTerminal key={terminal} id={terminal} />
        {busy ? <Skeleton rows={5} label="Looking at the kernel" /> : <EvidenceTable evidence={run?.result.evidence ?? []} />}
      </div>
    );
  }
  if (busy) return <Skeleton rows={9} label="The container runs" />;
  if (!run) {
    return <EmptyState title="Nothing was run yet">Run the document once: the kernel then shows what each field became.</EmptyState>;
  }
  return (
    <div className="run-view">
      <Outcome run={run} />
      <Output title="Standard output" text={run.result.stdout} />
      <Output title="Standard error" text={run.result.stderr} />
      <EvidenceTable evidence={run.result.evidence} />
    </div>
  );
}

function Outcome({ run: { text, result } }: { readonly run: DoneRun }) {
  const older = useEditor((state) => state.text !== text);
  const { failure, exitCode, timedOut } = result;
  const ended = failure
    ? `failed: ${failure.message}`
    : timedOut
      ? 'was ended after its time'
      : `ended with exit code ${exitCode ?? 'unknown'}`;
  return (
    <p className="run-outcome" data-failed={failure ? true : undefined} role="status">
      <b>{result.runtime}</b> {ended}
      <small>
        {visible(result.version)}
        {older ? ' · the text has changed since' : ''}
      </small>
      {failure?.hint ? <small>{failure.hint}</small> : null}
    </p>
  );
}

function Output({ title, text }: { readonly title: string; readonly text: string }) {
  if (text === '') return null;
  return (
    <figure className="run-output">
      <figcaption>{title}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
      <pre tabIndex={0}>{visibleLines(text)}</pre>
    </figure>
  );
}

const HOLDS = { yes: ['✓', 'as asked'], no: ['✗', 'not as asked'] } as const;
const SEEN = ['·', 'seen'] as const;

function EvidenceTable({ evidence }: { readonly evidence: readonly RunEvidence[] }) {
  const pointer = useEditor((state) => state.pointer);
  const box = useRef<HTMLTableElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another field is looked at: its first line comes into view
  useEffect(() => {
    box.current?.querySelector('[data-about]')?.scrollIntoView({ block: 'nearest' });
  }, [pointer]);
  if (evidence.length === 0) return null;
  return (
    <table className="evidence-table" ref={box} aria-label="What the kernel showed of each field">
      <thead>
        <tr>
          <th scope="col">
            <span className="sr-only">as asked</span>
          </th>
          <th scope="col">field</th>
          <th scope="col">what the kernel showed</th>
        </tr>
      </thead>
      <tbody>
        {evidence.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are one immutable list
          <tr key={index} data-about={isAbout(line.pointer, pointer) || undefined}>
            <td>
              <Verdict line={line} />
            </td>
            <td>
              <PointerButton pointer={line.pointer} />
            </td>
            <td>
              <KernelLine line={line} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Verdict({ line }: { readonly line: RunEvidence }) {
  const [mark, word] = line.holds === undefined ? SEEN : HOLDS[line.holds ? 'yes' : 'no'];
  return (
    <span className="verdict" data-holds={line.holds}>
      <span aria-hidden="true">{mark}</span>
      <span className="sr-only">{word}</span>
    </span>
  );
}

/** The file and what stood in it; leads back to its field. */
export function KernelLine({ line }: { readonly line: RunEvidence }) {
  return (
    <button type="button" className="kernel-line" onClick={() => lookAt(line.pointer)}>
      <code className="where">{visible(line.source)}</code>
      <code className="line">{visibleLines(line.found)}</code>
    </button>
  );
}

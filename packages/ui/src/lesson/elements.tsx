/**
 * The short elements of a lesson: a command to run, a glossary term, a myth, a link to an explorer.
 *
 * Knows: their look and behaviour. Does not know: terminals or explorers; the LessonScene does.
 */
import type { LessonNode, PanelName } from '@slipway/lessons/types';
import { type ReactNode, useState } from 'react';
import { CopyButton, WithTip } from '../base/controls.tsx';
import { Icon } from '../base/icons.tsx';
import { useLesson } from './context.ts';
import { commandLines } from './plain-text.ts';

/** Click to run: the line is typed into the terminal, visibly, with Enter. */
export function Run({ nodes }: { readonly nodes: readonly LessonNode[] }) {
  return <RunLines lines={commandLines(nodes)} />;
}

export function RunLines({ lines }: { readonly lines: readonly string[] }) {
  const { run, canRun } = useLesson();
  const [ran, setRan] = useState(false);
  return (
    <div className="run">
      <button
        type="button"
        className="run-button"
        disabled={!canRun}
        title={canRun ? 'Type this into the terminal and press Enter' : 'The terminal is not ready'}
        onClick={() => {
          for (const line of lines) run(line);
          setRan(true);
        }}
      >
        <span className="sr-only">Run</span>
        <span className="run-lines">
          {lines.map((line) => (
            <code key={line}>
              <span aria-hidden="true" className="prompt">
                ${' '}
              </span>
              <Words text={line} />
            </code>
          ))}
        </span>
        <span className="run-act" aria-hidden="true">
          <Icon name="enter" size={14} />
          {ran ? 'run again' : 'run'}
        </span>
      </button>
      <CopyButton text={lines.join('\n')} label="Copy command" />
    </div>
  );
}

/** Longer ones, paths mostly, have to be broken somewhere on a phone. */
const LONGEST_WHOLE = 28;

/** Of a command: a line is broken between its words, never after the hyphens of an option. */
export function Words({ text }: { readonly text: string }) {
  return [...text.matchAll(/\S+|\s+/g)].map(({ index, 0: part }) => (
    <span key={index} className={part.length > LONGEST_WHOLE || part.trim() === '' ? '' : 'word'}>
      {part}
    </span>
  ));
}

export function Term({ of, children }: { readonly of: string; readonly children: ReactNode }) {
  const { document } = useLesson();
  const definition = document.glossary[of];
  if (definition === undefined) return <span>{children ?? of}</span>;
  return (
    <WithTip
      className="term"
      tip={
        <>
          <strong>{of}</strong> {definition}
        </>
      }
    >
      {children ?? of}
    </WithTip>
  );
}

/** A popular sentence that is wrong or dated, and what is right. */
export function Myth({ claim, children }: { readonly claim: string; readonly children: ReactNode }) {
  return (
    <aside className="myth" aria-label={`Myth check: ${claim}`}>
      <p className="myth-tag">Myth check</p>
      <p className="myth-claim">“{claim}”</p>
      <div className="myth-truth">{children}</div>
    </aside>
  );
}

export const PANEL_TITLES: Readonly<Record<PanelName, string>> = {
  processes: 'Processes',
  namespaces: 'Namespaces',
  cgroups: 'cgroups',
  layers: 'Layers',
  'image-graph': 'Image graph',
  calls: 'Call chain',
  birth: 'Birth',
  'pull-timeline': 'Pull timeline',
  'build-graph': 'Build graph',
  disk: 'Disk',
};

export function isPanelName(name: string): name is PanelName {
  return Object.hasOwn(PANEL_TITLES, name);
}

export function PanelLink({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  const { openPanel } = useLesson();
  if (!isPanelName(name)) return <span>{children ?? name}</span>;
  return (
    <button type="button" className="panel-link" onClick={() => openPanel(name)}>
      <Icon name="picture" size={13} />
      {children ?? PANEL_TITLES[name]}
    </button>
  );
}

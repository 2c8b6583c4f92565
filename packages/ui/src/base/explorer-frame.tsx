/**
 * The frame of every explorer: title, provenance, picture | text, filter, "what am I looking at", and its empty and waiting states.
 *
 * Knows: how an explorer is framed. Does not know: what it shows.
 */
import type { Provenance } from '@slipway/journal/types';
import { type ReactNode, useEffect, useState } from 'react';
import { Switch, WithTip } from './controls.tsx';
import { Icon } from './icons.tsx';
import { PROVENANCE } from './kinds.ts';

export interface ExplorerFrameProps {
  readonly title: string;
  /** Two sentences: what am I looking at. */
  readonly about: string;
  readonly provenance: Provenance;
  /** Kernel, cgroup mode, engine: on hover of the badge. */
  readonly provenanceFacts: readonly string[];
  /** Nothing new comes at the moment: what is drawn is what came last. */
  readonly stale?: boolean;
  readonly as: 'picture' | 'text';
  readonly onAs: (as: 'picture' | 'text') => void;
  readonly filter?: string;
  readonly onFilter?: (filter: string) => void;
  /** Controls of this explorer. */
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

export function ExplorerFrame(props: ExplorerFrameProps) {
  return (
    <section className="explorer" aria-label={`${props.title} explorer`}>
      <header className="explorer-head">
        <h2 className="sr-only">{props.title}</h2>
        <ProvenanceBadge provenance={props.provenance} facts={props.provenanceFacts} stale={props.stale ?? false} />
        <WithTip className="about-button" label={`About ${props.title}: what am I looking at?`} tip={props.about}>
          <Icon name="help" size={14} /> <span>What am I looking at?</span>
        </WithTip>
        <span className="spacer" />
        {props.tools}
        {props.onFilter ? (
          <label className="filter">
            <Icon name="search" size={13} />
            <span className="sr-only">Filter {props.title}</span>
            <input
              type="search"
              placeholder="Filter"
              value={props.filter ?? ''}
              onChange={(event) => props.onFilter?.(event.target.value)}
            />
          </label>
        ) : null}
        <Switch
          label="Shown as"
          value={props.as}
          onChange={props.onAs}
          options={[
            { value: 'picture', label: 'Picture', icon: 'picture' },
            { value: 'text', label: 'Text', icon: 'list' },
          ]}
        />
      </header>
      <div className="explorer-body">{props.children}</div>
    </section>
  );
}

/** Of what comes from the machine while the page has lost it. */
const STALE = {
  title: 'as it was last',
  meaning: 'The connection is lost. Drawn from what came before; it goes on as soon as the lab answers.',
} as const;

function ProvenanceBadge(props: { readonly provenance: Provenance; readonly facts: readonly string[]; readonly stale: boolean }) {
  const { provenance, facts } = props;
  const stale = props.stale && provenance === 'live';
  const { title, meaning } = stale ? STALE : PROVENANCE[provenance];
  return (
    <WithTip
      className={`provenance ${stale ? 'stale' : provenance}`}
      label={`Provenance: ${title}`}
      tip={
        <>
          {meaning}
          {facts.length > 0 ? <span className="tip-facts">{facts.join(' · ')}</span> : null}
        </>
      }
    >
      <i aria-hidden="true" /> {title}
    </WithTip>
  );
}

/** Nothing there yet: what to try, with the command. */
export function EmptyState(props: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly command?: string;
  readonly onType?: (command: string) => void;
}) {
  const { command } = props;
  return (
    <div className="empty-state">
      <p className="empty-title">{props.title}</p>
      {props.children ? <p>{props.children}</p> : null}
      {command ? (
        <p>
          Try{' '}
          <button type="button" className="inline-command" onClick={() => props.onType?.(command)} title="Type this into the terminal">
            {command}
          </button>
        </p>
      ) : null}
    </div>
  );
}

/** In the final geometry, and only after a moment: quick answers must not flicker. */
export function Skeleton({ rows, label }: { readonly rows: number; readonly label: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" role="status" aria-label={label}>
      {late ? (
        <>
          <p>{label} …</p>
          {widths(rows).map(([key, width]) => (
            <i key={key} style={{ width }} />
          ))}
        </>
      ) : null}
    </div>
  );
}

/** Uneven, as text is; the same each time. */
function widths(rows: number): readonly (readonly [key: string, width: string])[] {
  return Array.from({ length: rows }, (_, index) => [`row ${index}`, `${92 - ((index * 37) % 41)}%`] as const);
}

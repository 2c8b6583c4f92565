/**
 * A list of what happened, newest first, one of which is shown beside it: requests, pulls and pushes, builds.
 *
 * Knows: how it looks, and that it ends somewhere. Does not know: what is listed.
 */
import type { CSSProperties } from 'react';
import { visible } from './format.ts';

export interface Choice {
  readonly id: string;
  readonly name: string;
  /** State, times, sizes: shortest words. */
  readonly facts: string;
  readonly failed: boolean;
  /** Of its edge. */
  readonly color: string;
}

const MOST = 100;

export function ChoiceList<T>(props: {
  readonly label: string;
  /** Newest first. */
  readonly all: readonly T[];
  readonly toChoice: (each: T) => Choice;
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
}) {
  const { all, chosen } = props;
  return (
    <ul className="trace-list scroll" aria-label={`${props.label}, newest first`}>
      {all
        .slice(0, MOST)
        .map(props.toChoice)
        .map(({ id, name, facts, failed, color }) => (
          <li key={id}>
            <button
              type="button"
              className={`trace ${id === chosen ? 'selected' : ''} ${failed ? 'failed' : ''}`}
              style={{ '--kind': color } as CSSProperties}
              aria-pressed={id === chosen}
              onClick={() => props.onChoose(id)}
            >
              <span className="trace-name">{visible(name)}</span>
              <span className="trace-facts num">{visible(facts)}</span>
            </button>
          </li>
        ))}
      {all.length > MOST ? <li className="more">{all.length - MOST} older ones: go back in time to see them</li> : null}
    </ul>
  );
}

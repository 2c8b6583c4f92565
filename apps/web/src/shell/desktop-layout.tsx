/**
 * Lesson beside explorers over terminal, the timeline at the foot; panes resize and remember, and any can fill the page.
 *
 * Knows: the arrangement. Does not know: what panes show.
 */
'use client';
import { IconButton } from '@slipway/ui';
import { type ReactNode, useCallback, useMemo } from 'react';
import { Group, type Layout, Panel, Separator } from 'react-resizable-panels';
import { Explorers } from '../explorers/explorers.tsx';
import { LessonPane } from '../lesson/lesson-pane.tsx';
import { clearView, type PaneName, useView } from '../state/stores.ts';
import { TerminalPane } from '../terminal/terminal-pane.tsx';
import { TimelinePane } from './timeline-pane.tsx';

export function DesktopLayout() {
  const filled = useView((state) => state.filled);
  const columns = useRememberedLayout('slipway.columns');
  const rows = useRememberedLayout('slipway.rows');
  return (
    <div className="desktop" data-filled={filled ?? 'none'}>
      <Group orientation="horizontal" className="panes" {...columns}>
        <Panel id="lesson" defaultSize="38%" minSize="18rem">
          <Pane name="lesson" label="Lesson" main>
            <LessonPane />
          </Pane>
        </Panel>
        <Separator className="grip column" aria-label="Resize lesson" />
        <Panel id="lab" minSize="22rem">
          <Group orientation="vertical" className="panes" {...rows}>
            <Panel id="explorers" defaultSize="64%" minSize="10rem">
              <Pane name="explorers" label="Explorers">
                <Explorers />
              </Pane>
            </Panel>
            <Separator className="grip row" aria-label="Resize terminal" />
            <Panel id="terminal" minSize="6rem">
              <Pane name="terminal" label="Terminal">
                <TerminalPane />
              </Pane>
            </Panel>
          </Group>
        </Panel>
      </Group>
      <TimelinePane />
    </div>
  );
}

function Pane(props: { readonly name: PaneName; readonly label: string; readonly main?: boolean; readonly children: ReactNode }) {
  const filled = useView((state) => state.filled === props.name);
  const Tag = props.main ? 'main' : 'section';
  return (
    <Tag className={`pane pane-${props.name} ${filled ? 'filled' : ''}`} data-pane={props.name} aria-label={props.label}>
      {props.children}
      <IconButton
        icon={filled ? 'shrink' : 'fill'}
        label={filled ? `Shrink ${props.label.toLowerCase()}` : `Fill the page with ${props.label.toLowerCase()}`}
        keys="f"
        className="fill-button"
        onClick={() => (filled ? clearView('filled') : useView.setState({ filled: props.name }))}
      />
    </Tag>
  );
}

/** Sizes as the learner left them. */
function useRememberedLayout(key: string): { readonly defaultLayout?: Layout; readonly onLayoutChanged: (layout: Layout) => void } {
  const stored = useMemo(() => readLayout(key), [key]);
  const onLayoutChanged = useCallback(
    (layout: Layout) => {
      try {
        localStorage.setItem(key, JSON.stringify(layout));
      } catch {
        // Without storage the sizes last until the page is closed.
      }
    },
    [key],
  );
  return { ...(stored ? { defaultLayout: stored } : {}), onLayoutChanged };
}

function readLayout(key: string): Layout | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    if (typeof value !== 'object' || value === null) return undefined;
    const sizes = Object.entries(value);
    return sizes.length === 2 && sizes.every(([, size]) => typeof size === 'number') ? (value as Layout) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The terminal's pane: tabs, the terminals themselves (loaded when first needed), search, paste question, settings.
 *
 * Knows: which terminals there are and which is in front. Does not know: xterm.js (terminal-view.tsx).
 */
'use client';
import { Icon, IconButton, Skeleton, visible } from '@slipway/ui';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { LEAVE_TERMINAL } from '../shell/shortcuts.ts';
import { api } from '../state/api.ts';
import { connection, orToast } from '../state/lab.ts';
import { useSession, useTerminals } from '../state/stores.ts';
import { PasteQuestion } from './paste-question.tsx';
import { SearchBar } from './search-bar.tsx';
import type { TerminalHandle } from './terminal-view.tsx';

const TerminalView = lazy(() => import('./terminal-view.tsx'));

export function TerminalPane() {
  const { terminals, known, active } = useTerminals();
  const handles = useRef(new Map<string, TerminalHandle>());
  const [question, setQuestion] = useState<string>();
  const [searching, setSearching] = useState(false);
  useFirstTerminal();
  const front = active === undefined ? undefined : handles.current.get(active);
  return (
    <div className="terminal-pane">
      <TerminalTabs onSearch={() => setSearching((before) => !before)} />
      <div className="terminal-body">
        {!known || terminals.length === 0 ? <Skeleton rows={3} label="Opening a terminal" /> : null}
        <Suspense fallback={<Skeleton rows={3} label="Opening a terminal" />}>
          {terminals.map((terminal) => (
            <TerminalView
              key={terminal.id}
              id={terminal.id}
              visible={terminal.id === active}
              onReady={(handle) => {
                if (handle) handles.current.set(terminal.id, handle);
                else handles.current.delete(terminal.id);
              }}
              onPasteQuestion={setQuestion}
              onSearch={() => setSearching(true)}
            />
          ))}
        </Suspense>
        {searching && front ? (
          <SearchBar
            search={front.search}
            onClose={() => {
              setSearching(false);
              front.terminal.focus();
            }}
          />
        ) : null}
        <TerminalState />
      </div>
      {question !== undefined ? (
        <PasteQuestion
          text={question}
          onConfirm={() => {
            front?.paste(question);
            front?.terminal.focus();
          }}
          onClose={() => setQuestion(undefined)}
        />
      ) : null}
    </div>
  );
}

/** A machine without a terminal gets one; asked once a connection. */
function useFirstTerminal(): void {
  const needed = useTerminals((state) => state.known && state.terminals.length === 0);
  const live = useSession((state) => state.connection.phase === 'live' && state.machine?.state === 'ready');
  useEffect(() => {
    if (needed && live) void orToast(openTerminal());
  }, [needed, live]);
}

export async function openTerminal(): Promise<void> {
  const terminal = await api.openTerminal();
  useTerminals.setState(({ terminals }) => ({
    terminals: terminals.some((other) => other.id === terminal.id) ? terminals : [...terminals, terminal],
    active: terminal.id,
    known: true,
  }));
}

async function closeTerminal(id: string): Promise<void> {
  await api.closeTerminal(id);
  useTerminals.setState(({ terminals, active }) => {
    const left = terminals.filter((terminal) => terminal.id !== id);
    const next = active === id ? left.at(-1)?.id : active;
    return { terminals: left, ...(next === undefined ? {} : { active: next }) };
  });
}

const FONT = { smallest: 9, largest: 24 } as const;

function TerminalTabs({ onSearch }: { readonly onSearch: () => void }) {
  const { terminals, active, status, fontSize, screenReader } = useTerminals();
  const hasEnded = (id: string) => status.get(id)?.exitCode !== undefined;
  const size = (step: number) => useTerminals.setState({ fontSize: Math.min(FONT.largest, Math.max(FONT.smallest, fontSize + step)) });
  return (
    <div className="terminal-tabs">
      <div role="tablist" aria-label="Terminals">
        {terminals.map((terminal, index) => (
          <span key={terminal.id} className="terminal-tab">
            <button
              type="button"
              role="tab"
              aria-selected={terminal.id === active}
              onClick={() => useTerminals.setState({ active: terminal.id })}
              title={visible(terminal.title)}
            >
              <Icon name="terminal" size={13} /> {visible(terminal.title) || `Terminal ${index + 1}`}
              {hasEnded(terminal.id) ? <em className="role-badge">ended</em> : null}
              {terminal.role === 'owner' ? null : <em className="role-badge">{terminal.role === 'viewer' ? 'watching' : 'together'}</em>}
            </button>
            {terminals.length > 1 || hasEnded(terminal.id) ? (
              <button
                type="button"
                className="tab-close"
                aria-label={`Close terminal ${index + 1}`}
                onClick={() => void orToast(closeTerminal(terminal.id))}
              >
                <Icon name="cross" size={11} />
              </button>
            ) : null}
          </span>
        ))}
      </div>
      <IconButton icon="plus" label="New terminal" onClick={() => void orToast(openTerminal())} />
      <span className="spacer" />
      <span className="terminal-leave">
        <kbd>{LEAVE_TERMINAL}</kbd> leaves
      </span>
      <IconButton icon="search" label="Search in terminal" keys="Ctrl+Shift+F" onClick={onSearch} />
      <button type="button" className="font-step" title="Smaller text" onClick={() => size(-1)}>
        <span className="sr-only">Smaller text</span>
        <span aria-hidden="true">
          A<small>−</small>
        </span>
      </button>
      <button type="button" className="font-step" title="Larger text" onClick={() => size(1)}>
        <span className="sr-only">Larger text</span>
        <span aria-hidden="true">
          A<small>+</small>
        </span>
      </button>
      <IconButton
        icon="reader"
        label="Screen reader mode"
        pressed={screenReader}
        onClick={() => useTerminals.setState({ screenReader: !screenReader })}
      />
    </div>
  );
}

/** Said over the terminal while something about it is not as usual. */
function TerminalState() {
  const phase = useSession((state) => state.connection.phase);
  const status = useTerminals((state) => (state.active === undefined ? undefined : state.status.get(state.active)));
  if (status?.exitCode !== undefined) {
    return (
      <p className="terminal-note" role="status">
        Its program ended with code {status.exitCode}. Open a new terminal with +.
      </p>
    );
  }
  if (phase === 'live' || phase === 'idle') return null;
  return (
    <p className="terminal-note" role="status">
      Reconnecting. {status && status.pendingBytes > 0 ? 'What you typed is kept and sent when the line is back.' : 'Typing is kept.'}{' '}
      <button type="button" className="plain-link" onClick={() => connection.retry()}>
        Try now
      </button>
    </p>
  );
}

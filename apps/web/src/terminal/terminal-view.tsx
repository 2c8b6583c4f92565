/**
 * One terminal on the page: xterm.js, its manners, and its link to the server.
 *
 * Knows: xterm.js and its add-ons (loaded when the first terminal is drawn), copy, paste, search, links, fonts, themes.
 * Does not know: the protocol (net/terminal-link.ts).
 */
'use client';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { useEffect, useRef } from 'react';
import { TerminalLink } from '../net/terminal-link.ts';
import { useIsDark } from '../shell/theme.ts';
import { attachTerminal, connection } from '../state/lab.ts';
import { useTerminals } from '../state/stores.ts';
import { cleanPaste, needsConfirmation } from './paste.ts';
import { terminalTheme } from './xterm-theme.ts';

export interface TerminalHandle {
  readonly search: SearchAddon;
  readonly terminal: Terminal;
  paste(text: string): void;
}

export interface TerminalViewProps {
  readonly id: string;
  readonly visible: boolean;
  readonly onReady: (handle: TerminalHandle | undefined) => void;
  /** Several lines wait for a yes. */
  readonly onPasteQuestion: (text: string) => void;
  readonly onSearch: () => void;
}

export default function TerminalView({ id, visible, onReady, onPasteQuestion, onSearch }: TerminalViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const handle = useRef<{ terminal: Terminal; fit: FitAddon } | undefined>(undefined);
  const calls = useRef({ onReady, onPasteQuestion, onSearch });
  calls.current = { onReady, onPasteQuestion, onSearch };
  const dark = useIsDark();
  const fontSize = useTerminals((state) => state.fontSize);
  const screenReader = useTerminals((state) => state.screenReader);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const { terminal, fit, search } = createTerminal();
    terminal.open(element);
    startWebgl(terminal);
    const link = new TerminalLink(id, {
      wire: connection,
      screen: {
        write: (bytes, done) => terminal.write(bytes, done),
        reset: () => terminal.reset(),
      },
      changed: (status) => useTerminals.setState((state) => ({ status: new Map(state.status).set(id, status) })),
    });
    const paste = (text: string) => terminal.paste(cleanPaste(text));
    terminal.onData((data) => link.type(data));
    terminal.onResize(({ cols, rows }) => link.resize(cols, rows));
    terminal.attachCustomKeyEventHandler((event) => terminalKey(event, terminal, calls.current.onSearch));
    const stopPaste = catchPaste(element, (text) => (needsConfirmation(text) ? calls.current.onPasteQuestion(text) : paste(text)));
    handle.current = { terminal, fit };
    const stopFitting = keepFitted(element, fit);
    link.resize(terminal.cols, terminal.rows);
    const detach = attachTerminal(link);
    calls.current.onReady({ terminal, search, paste });
    return () => {
      calls.current.onReady(undefined);
      stopFitting();
      stopPaste();
      detach();
      terminal.dispose();
      handle.current = undefined;
    };
  }, [id]);

  useEffect(() => {
    if (handle.current) handle.current.terminal.options.theme = terminalTheme(dark);
  }, [dark]);
  useEffect(() => {
    if (!handle.current) return;
    handle.current.terminal.options.fontSize = fontSize;
    handle.current.terminal.options.screenReaderMode = screenReader;
    handle.current.fit.fit();
  }, [fontSize, screenReader]);
  useEffect(() => {
    if (visible) handle.current?.fit.fit();
  }, [visible]);

  return <div ref={host} className="terminal-view" hidden={!visible} />;
}

function createTerminal() {
  const { fontSize, screenReader } = useTerminals.getState();
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const chosen = document.documentElement.dataset['theme'];
  const terminal = new Terminal({
    fontFamily: "'JetBrains Mono Variable', ui-monospace, monospace",
    fontSize,
    lineHeight: 1.25,
    scrollback: 10_000,
    cursorBlink: true,
    cursorStyle: 'bar',
    cursorWidth: 2,
    allowProposedApi: true,
    screenReaderMode: screenReader,
    minimumContrastRatio: 4.5,
    theme: terminalTheme(chosen === undefined ? dark : chosen === 'dark'),
    // What a container prints must not open windows or set the clipboard: links ask nothing but a click with a modifier.
    linkHandler: { activate: openLink },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new WebLinksAddon(openLink));
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  return { terminal, fit, search };
}

function openLink(event: MouseEvent, uri: string): void {
  if (!(event.ctrlKey || event.metaKey) || !/^https?:\/\//.test(uri)) return;
  window.open(uri, '_blank', 'noopener,noreferrer');
}

/** The GPU draws where it can; a lost context falls back to the DOM. */
function startWebgl(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch {
    // No WebGL2 here: the DOM renderer is slower and just as right.
  }
}

function keepFitted(element: HTMLElement, fit: FitAddon): () => void {
  let frame = 0;
  const refit = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (element.offsetWidth > 40 && element.offsetHeight > 20) fit.fit();
    });
  };
  const observer = new ResizeObserver(refit);
  observer.observe(element);
  void document.fonts.ready.then(refit);
  fit.fit();
  return () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
  };
}

/** Before xterm sees it: its own paste would send lines without asking. */
function catchPaste(element: HTMLElement, take: (text: string) => void): () => void {
  const onPaste = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text !== '') take(text);
  };
  element.addEventListener('paste', onPaste, true);
  return () => element.removeEventListener('paste', onPaste, true);
}

/** Keys that belong to the page and not to the shell. @returns false: handled here */
function terminalKey(event: KeyboardEvent, terminal: Terminal, onSearch: () => void): boolean {
  if (event.type !== 'keydown' || !(event.ctrlKey || event.metaKey) || !event.shiftKey) return true;
  const key = event.key.toLowerCase();
  if (key === 'f') {
    event.preventDefault();
    onSearch();
    return false;
  }
  if (key === 'c' && terminal.hasSelection()) {
    event.preventDefault();
    void navigator.clipboard.writeText(terminal.getSelection());
    return false;
  }
  // Ctrl+Shift+V reaches the page as a paste event, Ctrl+Shift+Enter leads out of the terminal; the shell must not see either.
  return key !== 'v' && key !== 'c' && key !== 'enter';
}

/**
 * xterm.js colours for both themes, read from the page's tokens where they exist.
 *
 * Knows: the sixteen terminal colours, chosen for 4.5:1 on each ground. Does not know: when the theme changes.
 */
import type { ITheme } from '@xterm/xterm';

const LIGHT: ITheme = {
  background: '#fdfcf9',
  foreground: '#23272f',
  cursor: '#1f4fa8',
  cursorAccent: '#fdfcf9',
  selectionBackground: '#c9dcff',
  selectionInactiveBackground: '#e2e6ee',
  black: '#23272f',
  red: '#b3261e',
  green: '#2c6e2f',
  yellow: '#7d5700',
  blue: '#1f56b3',
  magenta: '#8b2c9e',
  cyan: '#0b6b74',
  white: '#5d636e',
  brightBlack: '#636a76',
  brightRed: '#c3322a',
  brightGreen: '#33783a',
  brightYellow: '#866000',
  brightBlue: '#2b62c6',
  brightMagenta: '#9a3aae',
  brightCyan: '#12747d',
  brightWhite: '#23272f',
};

const DARK: ITheme = {
  background: '#131820',
  foreground: '#e4e2dc',
  cursor: '#b8f04a',
  cursorAccent: '#131820',
  selectionBackground: '#31456b',
  selectionInactiveBackground: '#2a3342',
  black: '#2a313d',
  red: '#ff8f85',
  green: '#8fdc8a',
  yellow: '#ecc766',
  blue: '#8db8ff',
  magenta: '#dfa1f2',
  cyan: '#77d6de',
  white: '#d5d3cd',
  brightBlack: '#8f98a8',
  brightRed: '#ffb0a8',
  brightGreen: '#b2eaae',
  brightYellow: '#f7dc93',
  brightBlue: '#b3d0ff',
  brightMagenta: '#ecc3f8',
  brightCyan: '#a4e7ec',
  brightWhite: '#ffffff',
};

export function terminalTheme(dark: boolean): ITheme {
  return dark ? DARK : LIGHT;
}

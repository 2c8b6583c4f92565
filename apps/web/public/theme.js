// Applies the chosen theme before the first paint, and says it where a browser lacks what the page is drawn with. A file of its own, so that the page needs no inline script of ours.
try {
  const theme = localStorage.getItem('slipway.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme is right then.
}

// The newest of what is needed, in colour, layout and language; without it the page would be a ruin rather than plain.
const isAble = CSS.supports('color: oklch(0.5 0.1 200)') && CSS.supports('container-type: inline-size') && 'toSorted' in Array.prototype;
if (!isAble) document.documentElement.dataset.browser = 'old';

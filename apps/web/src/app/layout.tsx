/**
 * The document around the page.
 *
 * Knows: fonts, styles, the script that sets the theme before the first paint. Does not know: the lab.
 */
import '@fontsource-variable/source-sans-3/wght.css';
import '@fontsource-variable/source-sans-3/wght-italic.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles.css';
import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';

export const metadata: Metadata = {
  title: 'Slipway',
  description: 'A container lab with the sides off: lessons, a live terminal and live kernel objects on one page.',
  icons: { icon: '/icon.svg' },
};

export const viewport: Viewport = { width: 'device-width', initialScale: 1, viewportFit: 'cover', interactiveWidget: 'resizes-content' };

export default function RootLayout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* Before the first paint, and a file of its own: the page carries no inline script of ours. */}
        <script src="/theme.js" />
      </head>
      <body>
        {children}
        <p className="browser-notice old">
          This browser is too old for the lab’s pictures. Firefox 121, Chrome 111, Safari 16.4, or anything newer can show them.
        </p>
        <noscript>
          <p className="browser-notice">
            The lab is a page of live pictures and a terminal: it needs JavaScript, and takes it from your own machine only.
          </p>
        </noscript>
      </body>
    </html>
  );
}

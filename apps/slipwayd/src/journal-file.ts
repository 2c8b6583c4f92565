/**
 * Appends the journal to a file, one JSON event a line.
 *
 * Knows: writing in batches.
 * Does not know: what events mean.
 */
import { createWriteStream } from 'node:fs';
import { formatLine, type JournalFeed } from './journal-feed.ts';

export interface JournalFile {
  close(): Promise<void>;
}

export function openJournalFile(path: string, feed: JournalFeed, onProblem: (message: string) => void): JournalFile {
  const file = createWriteStream(path, { flags: 'a', mode: 0o600 });
  file.on('error', (error) => onProblem(`the journal file "${path}" cannot be written: ${error.message}`));
  const leave = feed.ring.subscribe((events) => void file.write(`${events.map(formatLine).join('\n')}\n`), 0);
  return {
    close: () =>
      new Promise((resolve) => {
        feed.flush();
        leave();
        file.end(resolve);
      }),
  };
}

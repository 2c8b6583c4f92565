/** `slipway store check`: an engine's image store held against what has to be true of it; nothing is changed, an engine may be using it. */
import { checkStore, type StoreReport } from '@slipway/images';
import { parseFlags, UsageError } from '../flags.ts';
import type { Command } from './command.ts';

const USAGE = 'write: slipway store check [--root DIR] [--json] [--skip-contents]';
const DEFAULT_ROOT = '/var/lib/slipway';
/** Beside 1, by which every command says that it could not do its work. */
const EXIT_FAULTS = 2;

export const store: Command = async (args, out) => {
  const [verb, ...rest] = args;
  const flags = parseFlags(rest, { root: { kind: 'value' }, json: { kind: 'switch' }, 'skip-contents': { kind: 'switch' } });
  if (verb !== 'check' || flags.words.length > 0) throw new UsageError(USAGE);
  const root = flags.value('root') ?? DEFAULT_ROOT;
  const report = await checkStore(root, { skipContents: flags.has('skip-contents') });
  out(flags.has('json') ? `${JSON.stringify({ root, ...report })}\n` : formatReport(report, flags.has('skip-contents')));
  return report.faults.length > 0 ? EXIT_FAULTS : 0;
};

function formatReport({ counted, faults, leftovers }: StoreReport, skipped: boolean): string {
  const { committed, active, view } = counted.snapshots;
  return [
    `${counted.images} images with ${counted.names} names; ${counted.blobs} blobs of ${counted.blobBytes} bytes${skipped ? ', not read' : ''}`,
    `${committed} layers unpacked, ${active} writable snapshots, ${view} views; ${counted.ingests} blobs unfinished, ${counted.buildSteps} build steps kept`,
    ...faults.map(({ code, subject, message }) => `fault     ${code}: ${printable(subject)}: ${printable(message)}`),
    ...leftovers.map(({ code, subject, message }) => `left over ${code}: ${printable(subject)}: ${printable(message)}`),
    faults.length > 0 ? `${faults.length} faults` : 'the store is sound',
    '',
  ].join('\n');
}

/** Names come from images: no byte of theirs steers a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

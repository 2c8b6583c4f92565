/** `slipway store check`: an engine's or a registry's store held against what has to be true of it; nothing is changed, its owner may be using it. */
import { checkStore, type StoreReport } from '@slipway/images';
import { checkRegistry, isRegistryRoot, type RegistryReport } from '@slipway/registry';
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
  const options = { skipContents: flags.has('skip-contents') };
  const isRegistry = await isRegistryRoot(root);
  const report = isRegistry ? await checkRegistry(root, options) : await checkStore(root, options);
  const counted = 'images' in report.counted ? countImages(report.counted, options) : countRepositories(report.counted, options);
  out(flags.has('json') ? `${JSON.stringify({ root, ...report })}\n` : formatReport(report, counted));
  return report.faults.length > 0 ? EXIT_FAULTS : 0;
};

type Reading = { readonly skipContents: boolean };

const blobsOf = ({ blobs, blobBytes }: { readonly blobs: number; readonly blobBytes: number }, { skipContents }: Reading) =>
  `${blobs} blobs of ${blobBytes} bytes${skipContents ? ', not read' : ''}`;

function countImages(counted: StoreReport['counted'], reading: Reading): string[] {
  const { committed, active, view } = counted.snapshots;
  return [
    `${counted.images} images with ${counted.names} names; ${blobsOf(counted, reading)}`,
    `${committed} layers unpacked, ${active} writable snapshots, ${view} views; ${counted.ingests} blobs unfinished, ${counted.buildSteps} build steps kept`,
  ];
}

function countRepositories(counted: RegistryReport['counted'], reading: Reading): string[] {
  const { repositories, manifests, tags, ingests } = counted;
  return [
    `${repositories} repositories with ${manifests} manifests and ${tags} tags; ${blobsOf(counted, reading)}; ${ingests} uploads unfinished`,
  ];
}

function formatReport({ faults, leftovers }: StoreReport | RegistryReport, counted: readonly string[]): string {
  return [
    ...counted,
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

/**
 * The process that unpacks one layer, and can reach nothing else.
 *
 * It is given descriptors, and no path: the blob, the directory to fill, the layers below. Every name in the
 * archive is resolved from those by single steps (kernel/confined.ts), so a hostile layer is parsed where there is little
 * to win. Its answer is one line of JSON on stdout.
 *
 * Knows: its arguments, and the order of checks.
 * Does not know: images, stores, or who asked.
 */
import { createHash } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import { ConfinedDirectory, workerDescriptor } from '@slipway/kernel/worker';
import { applyMembers } from './apply.ts';
import type { LayerStream } from './decompress.ts';
import { describeFailure } from './describe-failure.ts';
import { LayerAhead } from './layer-ahead.ts';
import { openPart } from './pack/tree-part.ts';
import { readTar } from './tar/read.ts';
import { WhiteoutNode } from './whiteouts.ts';
import { FIRST_FD, type WorkerAnswer, type WorkerTask } from './worker-protocol.ts';

/** One for all layers that this process unpacks. */
const whiteoutNode = new WhiteoutNode();
const blobs = new LayerAhead();

async function unpack(task: WorkerTask, [blob = -1, directory = -1, ...rest]: readonly number[]): Promise<WorkerAnswer> {
  const whole = task.mountedAt === undefined ? ConfinedDirectory.fromDescriptor(directory) : ConfinedDirectory.open(task.mountedAt);
  const target = task.at === undefined ? whole : openPart(whole, task.at);
  const lowers = rest.slice(0, task.lowerCount).map((fd) => ConfinedDirectory.fromDescriptor(fd));
  const { layer, tar } = blobs.take(task, blob);
  if (task.next !== undefined) blobs.expect(task.next, rest.at(-1) ?? -1);
  const members = readTar(tar, task.tarLimits);
  try {
    const report = await applyMembers(members, {
      root: target,
      lowers,
      whiteouts: task.whiteouts,
      keepKinds: task.keepKinds,
      whiteoutNode,
    });
    requireSame(task, layer);
    if (task.diffId === undefined) await requireIntact(task, blob);
    return { ok: true, report: { ...report, tarBytes: layer.tarBytes, diffId: layer.diffId } };
  } catch (error) {
    await requireIntact(task, blob);
    throw error;
  }
}

/** The bytes that were unpacked must be those that were asked for. */
function requireSame(task: WorkerTask, layer: LayerStream): void {
  if (layer.blobBytes !== task.blobBytes) {
    throw mismatch(
      'E_LAYER_COMPRESSION',
      'invalid-argument',
      `only ${layer.blobBytes} of the blob's ${task.blobBytes} bytes belong to the layer`,
    );
  }
  if (task.diffId?.startsWith('sha256:') && layer.diffId !== task.diffId) {
    throw mismatch('E_LAYER_DIFF_ID', 'invalid-argument', `the layer's diff id is ${layer.diffId}, the image says ${task.diffId}`);
  }
}

/**
 * The blob was checked when it came. As long as what it unpacks to is right there is nothing to be said about it, and hashing it again would
 * take as long as half of its unpacking; when something is wrong, this tells a disk that changed it from an image that was made so.
 */
async function requireIntact({ blobDigest }: WorkerTask, blob: number): Promise<void> {
  if (!blobDigest?.startsWith('sha256:')) return;
  const hash = createHash('sha256');
  for await (const chunk of workerDescriptor.stream(blob)) hash.update(chunk);
  if (`sha256:${hash.digest('hex')}` === blobDigest) return;
  throw mismatch('E_BLOB_CORRUPT', 'data-loss', `blob ${blobDigest} no longer matches its digest`);
}

function mismatch(code: `E_${string}`, kind: 'invalid-argument' | 'data-loss', message: string): EngineError {
  return new EngineError(kind, message, { code, op: 'layer.unpack' });
}

const attempt = (task: WorkerTask, descriptors: readonly number[]) =>
  unpack(task, descriptors).catch((error: unknown) => describeFailure(error, 'layer could not be applied'));

const [, , first = '{}', parent] = process.argv;
if (first === 'session') await workerDescriptor.serve(Number(parent), (task, descriptors) => attempt(task as WorkerTask, descriptors));
else {
  workerDescriptor.endWithParent();
  const task = JSON.parse(first) as WorkerTask;
  workerDescriptor.answer(
    await attempt(
      task,
      Array.from({ length: 2 + task.lowerCount }, (_, index) => FIRST_FD + index),
    ),
  );
}

/**
 * Which 65 536 host ids belong to which machine: disjoint across every lab on this host.
 *
 *     /run/slipway/id-ranges/3/   claimed: ids 100000 + 3·65536 and up
 *        └─ owner                 state directory of the machine that holds it
 *     /run/slipway/id-ranges/lock  held while one is claimed
 *
 * Knows: that a claim whose owner is gone is free again, and that only one of several callers who see that may have it.
 * Does not know: what the ids are used for.
 */
import { EngineError } from '@slipway/errors';
import {
  claimDirectory,
  delay,
  ensureDirectory,
  findText,
  listDirectories,
  removeTree,
  resolvePath,
  tryLockFile,
  writeFileAtomic,
} from '@slipway/kernel';
import { IDS_PER_MACHINE } from './spec.ts';

const FIRST_ID = 100_000;
/** Ids end below 2^31, where some programs begin to misread them. */
const MAX_RANGES = Math.floor((2 ** 31 - FIRST_ID) / IDS_PER_MACHINE);

/** Claiming takes milliseconds; whoever has the lock for so long has stopped. */
const LOCK_MS = 30_000;

export interface IdRange {
  readonly firstHostId: number;
  release(): Promise<void>;
}

/**
 * The first free range, held for `owner` (an existing directory) until released or until that directory is gone.
 * @throws EngineError `unavailable` / `E_MACHINE_ID_RANGES` when all are taken
 */
export async function claimIdRange(registry: string, owner: string): Promise<IdRange> {
  await ensureDirectory(registry, 0o700);
  const unlock = await lock(`${registry}/lock`);
  try {
    return await claimFirstFree(registry, owner);
  } finally {
    unlock();
  }
}

/** Between finding a claim abandoned and removing it, nobody else may have made it theirs. */
async function lock(path: string): Promise<() => void> {
  for (const deadline = performance.now() + LOCK_MS; performance.now() < deadline; await delay(20)) {
    const unlock = tryLockFile(path, `${process.pid}\n`);
    if (unlock !== undefined) return unlock;
  }
  throw new EngineError('unavailable', `another lab on this host has held ${path} for ${LOCK_MS / 1000} s`, {
    code: 'E_MACHINE_ID_RANGES',
    op: 'machine.create',
    hint: 'the file names its process; end that, or let it go on',
  });
}

async function claimFirstFree(registry: string, owner: string): Promise<IdRange> {
  const taken = new Set(await listDirectories(registry));
  for (let index = 0; index < MAX_RANGES; index++) {
    const path = `${registry}/${index}`;
    if (taken.has(String(index)) && !(await isAbandoned(path))) continue;
    if (taken.has(String(index))) await removeTree(path);
    if (!(await claimDirectory(path))) continue;
    await writeFileAtomic(`${path}/owner`, owner, { durable: false });
    return { firstHostId: FIRST_ID + index * IDS_PER_MACHINE, release: () => removeTree(path) };
  }
  throw new EngineError('unavailable', `all ${MAX_RANGES} id ranges on this host are taken`, {
    code: 'E_MACHINE_ID_RANGES',
    op: 'machine.create',
    hint: 'delete machines that nobody uses',
  });
}

/** Frees the range that begins at `firstHostId`, for a machine found again after a restart. */
export async function releaseIdRange(registry: string, firstHostId: number): Promise<void> {
  await removeTree(`${registry}/${(firstHostId - FIRST_ID) / IDS_PER_MACHINE}`);
}

/** A claim without an owner file is being made at this moment, unless its maker died: it counts as taken. */
async function isAbandoned(path: string): Promise<boolean> {
  const owner = await findText(`${path}/owner`);
  return owner !== undefined && (await resolvePath(owner)) === undefined;
}

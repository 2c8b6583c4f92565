/**
 * Fails the image store at every step of a pull, a load, a commit, a build and a removal, and prints whether it kept its promises.
 *
 *     npm run crash [-- ROUNDS]      (200 when absent; needs root)
 *
 * First each point as often as each work passes it, killed; then errors, full disks and standstills at points in turn.
 *
 * Knows: which rounds there are.
 * Does not know: what a round is (packages/images/src/testing/crash-campaign.ts).
 */
import { CrashCampaign, type Failure, type Round } from '../packages/images/src/testing/crash-campaign.ts';
import type { WorkName } from '../packages/images/src/testing/crash-subject.ts';

const WORKS: readonly WorkName[] = ['pull', 'load', 'commit', 'build', 'remove'];
const AFTER_KILL: readonly Failure[] = ['error', 'enospc', 'hang'];

const wanted = Number(process.argv[2] ?? 200);
await using campaign = await CrashCampaign.start();
const points = (await Promise.all(WORKS.map((work) => campaign.pointsOf(work)))).flat();
const rounds: Round[] = points.map((point) => ({ ...point, how: 'kill' }));
for (let at = 0; rounds.length < wanted; at++) {
  const point = points[(at * 7) % points.length];
  if (point !== undefined) rounds.push({ ...point, how: AFTER_KILL[at % AFTER_KILL.length] ?? 'error' });
}

const table = new Map<string, { rounds: number; failed: number }>();
for (const [at, round] of rounds.slice(0, wanted).entries()) {
  const wrong = await campaign.round(round);
  const key = `${round.work.padEnd(8)} ${round.point.padEnd(20)} ${round.how}`;
  const row = table.get(key) ?? { rounds: 0, failed: 0 };
  table.set(key, { rounds: row.rounds + 1, failed: row.failed + Number(wrong.length > 0) });
  for (const sentence of wrong) process.stdout.write(`FAILED ${round.work} ${round.point}#${round.nth}:${round.how}: ${sentence}\n`);
  if (at % 25 === 24) process.stderr.write(`${at + 1} of ${wanted}\n`);
}
for (const [key, { rounds: count, failed }] of [...table].toSorted())
  process.stdout.write(`${key.padEnd(40)} ${count} rounds, ${failed} failed\n`);
const failed = [...table.values()].reduce((sum, row) => sum + row.failed, 0);
process.stdout.write(`${Math.min(wanted, rounds.length)} rounds, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

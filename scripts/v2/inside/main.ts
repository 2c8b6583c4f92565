/**
 * Runs inside the virtual machine: every check, in order.
 *
 * Knows: the groups of checks. Does not know: how the machine came to be (boot.sh).
 */
import process from 'node:process';
import { checkCgroups } from './cgroup-checks.ts';
import { checkDevices } from './device-checks.ts';
import { checkDocker } from './docker-checks.ts';
import { checkMachine } from './machine-checks.ts';
import { check, conclude } from './report.ts';
import { checkVerbs } from './verb-checks.ts';

const GROUPS = { cgroups: checkCgroups, devices: checkDevices, verbs: checkVerbs, docker: checkDocker, machine: checkMachine };

/** What goes wrong between checks fails the job too. */
for (const [name, group] of Object.entries(GROUPS)) {
  await group().catch((error: unknown) => check(`the checks of ${name} come to an end`, () => Promise.reject(error)));
}
process.exit(conclude());

/**
 * Runs inside the virtual machine: every check that needs no systemd, in order.
 *
 * Knows: the groups of checks. Does not know: how the machine came to be (boot.sh).
 */
import process from 'node:process';
import { checkCgroups } from './cgroup-checks.ts';
import { checkDevices } from './device-checks.ts';
import { checkDocker } from './docker-checks.ts';
import { checkMachine } from './machine-checks.ts';
import { conclude, runGroups } from './report.ts';
import { checkVerbs } from './verb-checks.ts';

await runGroups({ cgroups: checkCgroups, devices: checkDevices, verbs: checkVerbs, docker: checkDocker, machine: checkMachine });
process.exit(conclude());

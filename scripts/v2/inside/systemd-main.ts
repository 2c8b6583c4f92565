/**
 * Runs inside the virtual machine once systemd is its first process: every check that needs one, in order.
 *
 * Knows: the groups of checks. Does not know: how systemd came to be there (boot.sh).
 */
import process from 'node:process';
import { checkAppArmor } from './apparmor-checks.ts';
import { conclude, runGroups } from './report.ts';
import { checkSystemd } from './systemd-checks.ts';

await runGroups({ systemd: checkSystemd, apparmor: checkAppArmor });
process.exit(conclude());

/**
 * AppArmor, which Debian's kernels run: a container's process is under the profile that its document names.
 *
 * Knows: a profile of its own. Does not know: how a label gets into the kernel (packages/launcher).
 */
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { HostContainers } from '../../../packages/runtime/src/testing/host-containers.ts';
import { check, run } from './report.ts';

const NAME = 'slipway-check';
/** Everything but writing at one place. */
const PROFILE = `profile ${NAME} flags=(attach_disconnected) {
  file,
  capability,
  network,
  mount,
  signal,
  deny /tmp/kept/** w,
}
`;
const PROBE =
  'mkdir -p /tmp/kept; echo x >/tmp/free && echo free; (echo x >/tmp/kept/x) 2>/dev/null && echo kept; cat /proc/self/attr/current';

export async function checkAppArmor(): Promise<void> {
  writeFileSync('/run/check-profile', PROFILE);
  const loaded = await run('apparmor_parser', '--replace', '--skip-cache', '/run/check-profile');
  const containers = new HostContainers();
  const under = (apparmorProfile: string) => ({ process: { apparmorProfile } });
  try {
    // @proves runtime-spec: config.md#linux-process/apparmor
    await check('a process has the AppArmor profile of its document, and cannot do what that forbids', async () => {
      equal(loaded.code, 0, loaded.stderr);
      const { output } = await containers.shell(PROBE, under(NAME));
      deepEqual(output.trim().split('\n'), ['free', `${NAME} (enforce)`]);
    });
    await check('one that enters has it too', async () => {
      const { id } = await containers.started(under(NAME));
      deepEqual((await containers.exec(id, PROBE)).trim().split('\n'), ['free', `${NAME} (enforce)`]);
    });
    await check('without one it can: what the profile is for', async () => {
      deepEqual((await containers.shell(PROBE)).output.trim().split('\n'), ['free', 'kept', 'unconfined']);
    });
    await check('a profile that the kernel does not have is an error that names it, and leaves nothing', async () => {
      const before = (await containers.runtime.list()).length;
      await rejects(containers.created(under('no-such-profile')), (error: Error) => {
        match(error.message, /apparmorProfile|no-such-profile|securityLabel/);
        return true;
      });
      equal((await containers.runtime.list()).length, before);
    });
  } finally {
    await containers.dispose();
  }
}

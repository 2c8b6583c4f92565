/**
 * Attacks on a container runtime that are known by a number, as data: what each tries, in our words.
 *
 * Knows: which attacks there are, and why one has no control or no twin.
 * Does not know: which test is which; the tests say that themselves (scan.ts).
 */
export interface Attack {
  /** What is tried. */
  readonly tries: string;
  /** Why no runtime, program or configuration at hand shows that the test can fail. */
  readonly noControl?: string;
  /** Why nothing legal stands beside it. */
  readonly noTwin?: string;
}

export const ATTACKS: Readonly<Record<string, Attack>> = {
  A01: {
    tries: 'a container overwrites the runtime through /proc/self/exe (CVE-2019-5736)',
    noTwin: 'nobody has a reason to write to the program of a process that runs',
  },
  A02: { tries: 'a working directory that leads out through a descriptor of the host (CVE-2024-21626)' },
  A03: { tries: 'a descriptor of the host is left to the container’s process' },
  A04: { tries: 'the image has a link where proc, sysfs or another mount goes (CVE-2019-19921, CVE-2023-27561)' },
  A05: { tries: 'a neighbour exchanges a mount’s place for a link during the mount (CVE-2021-30465)' },
  A06: { tries: 'a mask shows what the image has at /dev/null (CVE-2025-31133)' },
  A07: { tries: 'the console is another file than the terminal (CVE-2025-52565)' },
  A08: { tries: 'what is written to /proc lands in files of the image (CVE-2025-52881)' },
  A09: { tries: 'the image’s /dev is a link (CVE-2026-41579, CVE-2026-47766)' },
  A10: { tries: 'directories for mounts are made outside, in the same race as A05 (CVE-2024-45310)' },
  A11: { tries: 'a group that was to keep somebody out is not among a process’s groups (CVE-2022-36109)' },
  A12: { tries: 'a user that is a number out of range, or looks like one (CVE-2024-40635)' },
  A13: { tries: 'inheritable capabilities are not empty (CVE-2022-24769)' },
  A14: {
    tries: 'sets of capabilities beyond one another, or none that any kernel has',
    noControl: 'the kernel keeps the sets in each other, whoever asks',
  },
  A15: { tries: 'rights are gained at an execve despite no_new_privs' },
  A16: { tries: 'calls of another architecture go round the filter' },
  A17: { tries: 'calls that the filter does not know are answered wrongly' },
  A18: { tries: 'a further process has no filter' },
  A19: { tries: 'a profile that makes no sense is passed over' },
  A20: { tries: 'devices of the host are opened, by nodes that the image has or the container makes' },
  A21: { tries: 'a release agent of cgroup v1 runs on the host (CVE-2022-0492)' },
  A22: { tries: 'the cgroup file system can be written (CVE-2023-25809)' },
  A23: {
    tries: 'a cgroup path climbs out of our place',
  },
  A25: { tries: 'a limit is left out without a word' },
  A26: { tries: 'keys of the host or of neighbours are found; keyrings use up the quota of a user' },
  A28: {
    tries: 'two learners’ machines share ids of the host',
    noControl: 'machines that share them cannot be made by any setting',
  },
  A29: { tries: 'ended processes pile up' },
  A31: {
    tries: 'who supervises a container is killed',
    noControl: 'an exit code that nobody saw would have to be made up by a program that does so',
  },
  A32: { tries: 'who makes a container fails, is killed or hangs, at each step' },
  A33: {
    tries: 'the state on disk is torn, empty or foreign',
  },
  A34: { tries: 'a pid has gone to a stranger' },
  A35: { tries: 'whoever watches a process enter gets hold of what it has (CVE-2016-9962)' },
  A36: { tries: 'the image’s user database is huge, a device, a fifo or a link to the host (CVE-2024-9676)' },
  A37: {
    tries: 'something of the image runs on the host, or a program of the host with variables of ours',
  },
  A38: { tries: 'hooks fail, hang or flood' },
  A39: {
    tries: 'a kernel parameter of the host is set (CVE-2022-0811)',
  },
  A40: { tries: 'mounts of a container appear on the host' },
  A41: {
    tries: 'a failed pivot_root is passed over in favour of chroot',
    noControl: 'no runtime at hand does it by itself',
  },
  A43: { tries: 'flags of a host’s mount are lifted in a user namespace' },
  A44: { tries: 'an id is a path, or writes to a terminal' },
  A45: {
    tries: 'a container protects itself from being killed for want of memory',
    noControl: 'it takes CAP_SYS_RESOURCE, which not every host of these tests has to give',
  },
  A46: {
    tries: 'config.json is another one at the start',
    noControl: 'the peers at hand read it once too',
  },
  A47: { tries: 'variables of a document reach programs of the host' },
  A49: {
    tries: 'arguments break the frame of what planner and launcher say to each other',
    noControl: 'the protocol is our own, and has no other end',
  },
  A50: { tries: 'kernel interfaces with a record of bugs are reached under the default profile (CVE-2026-31431)' },
  A51: { tries: 'a process has anything beyond its document' },
  A52: { tries: 'a byte is typed into the caller’s terminal' },
  A53: { tries: 'sockets without a file are reached from the host’s network namespace (CVE-2020-15257)' },
};

/**
 * Small programs that lie ready in the machine for lesson 5, for a learner to read and then run.
 *
 * Knows: what they do, in as few lines as that takes. Does not know: when they are used (lab.ts).
 */

/** The classic way out of a chroot, since 1999 at the latest. */
export const ESCAPE = `# The way out of a chroot, for whoever is root in it.
mkdir "/trap";
chroot "/trap" or die "chroot: $!\\n";   # the root moves below us: where we stand is now outside of it
chdir ".." for 1 .. 50;                 # and outside, nothing stops us on the way up
chroot "." or die "chroot: $!\\n";       # as high as it gets: make that the root
exec @ARGV or die "$ARGV[0]: $!\\n";
`;

/** The kernel gets its filter as data: nothing is simulated. */
export const NO_MKDIR = `# Loads a seccomp filter that refuses mkdir, then becomes the program it is given.
my $x86 = -e '/lib64/ld-linux-x86-64.so.2';
my ($prctl, $arch, @refused) = $x86 ? (157, 0xC000003E, 83, 258) : (167, 0xC00000B7, 34, 34);

# The kernel runs this at every system call: what to do, lines to skip if equal, if not, and the number.
my @filter = (
  [0x20, 0, 0, 4],             # load: which kind of processor does the caller speak to?
  [0x15, 0, 4, $arch],         # not this one: refuse
  [0x20, 0, 0, 0],             # load: the number of the system call
  [0x15, 2, 0, $refused[0]],   # mkdir: refuse
  [0x15, 1, 0, $refused[1]],   # mkdirat: refuse
  [0x06, 0, 0, 0x7FFF0000],    # allow
  [0x06, 0, 0, 0x00050001],    # refuse with error 1, Operation not permitted
);
my $code = join '', map { pack 'SCCL', @$_ } @filter;
syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!\\n";
syscall($prctl, 22, 2, pack('Sx6P', scalar @filter, $code), 0, 0) == 0 or die "seccomp: $!\\n";
exec @ARGV or die "$ARGV[0]: $!\\n";
`;

/** What the learner did by hand for the third task, to be done again in one go. */
export const INSIDE = `# From fresh namespaces to a container's inside; then becomes the program it is given.
mount --bind rootfs rootfs
cd rootfs
pivot_root . old
cd /
/bin/mount -t proc proc /proc
/bin/umount -l /old
hostname box
exec "$@"
`;

/** A line for the lab's preparation that writes a file into the learner's directory. */
export function writeLine(name: string, text: string): string {
  return `mkdir -p /root/box && cat > /root/box/${name} <<'END'\n${text}END\n`;
}

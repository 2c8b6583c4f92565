/** Normative statements of the runtime specification's config.md. @see statements.ts */
import type { Chapter } from './statements.ts';

const NO_LSM = 'no security module of that kind is in the kernels that this is built and proved on';

const NO_APPARMOR = 'needs a kernel with AppArmor, and the checks of the virtual machine that has one call ours only';
const TERMINAL = 'needs somebody at the other end of a terminal, whom the common suite does not have';

export const CONFIG: Chapter = {
  document: 'config.md',
  statements: {
    'specification-version/semver': { must: 'ociVersion is there and is a semantic version' },

    'root/required': { must: 'root is there' },
    'root/path': { must: 'root.path is there' },
    'root/conventional': { should: 'root.path is "rootfs"', author: 'a habit; any path works' },
    'root/is-directory': { must: 'root.path leads to a directory' },
    'root/readonly': { must: 'with readonly, nothing can be written to the root' },

    'mounts/order': { must: 'mounts are made in the order of the list' },
    'mounts/destination': { must: 'a mount has a destination' },
    'mounts/absolute': { should: 'a destination is an absolute path', author: 'another one works too, with a warning' },
    'mounts/relative': { must: 'a relative destination counts from /' },
    'linux-mount-options/supported': { must: 'the options that the specification marks so are acted upon' },
    'linux-mount-options/recursive': { should: 'the recursive attributes reach every mount below a bind' },
    'linux-mount-options/tmpcopyup': {
      may: 'tmpcopyup puts what lay at the destination into the tmpfs',
    },
    'linux-mount-options/nosymfollow': { should: 'nosymfollow keeps links from being followed' },
    'linux-mount-options/idmap': { must: 'a mount with mappings shows its owners through them' },
    'linux-mount-options/idmap-own': { must: 'the mappings of a mount count before those of the container' },
    'linux-mount-options/idmap-none': { must: 'idmap where there are no mappings is an error' },
    'linux-mount-options/unknown': { should: 'a word that is no option goes to the file system' },
    'posix-platform-mounts/id-mappings-both': { must: 'uidMappings and gidMappings of a mount come together' },
    'posix-platform-mounts/id-mappings-unsupported': { must: 'mappings that cannot be applied to a mount are an error' },

    'process/required-to-start': { must: 'a container can be started only with a process' },
    'process/terminal': { must: 'with terminal, a pseudo-terminal becomes the three standard streams', untried: TERMINAL },
    'process/console-size-ignored': { must: 'consoleSize counts only with terminal' },
    'process/console-size-both': { must: 'consoleSize has height and width' },
    'process/cwd': { must: 'cwd is there and is an absolute path' },
    'process/args': { must: 'args has at least the program, found as execvp finds it' },

    'posix-process/rlimit-fields': { must: 'a resource limit has type, soft and hard' },
    'posix-process/rlimit-unknown': { must: 'a limit that the kernel does not know is an error' },
    'posix-process/rlimit-applied': { must: 'soft and hard are what the process has then' },
    'posix-process/rlimit-once': { must: 'the same type twice is an error' },

    'linux-process/capability-unknown': { must: 'a capability that is not in the kernel’s list is a warning' },
    'linux-process/capability-withheld': { must: 'a capability that this host withholds is a warning' },
    'linux-process/capability-not-applied': { should: 'for want of such a capability no container fails' },
    'linux-process/capability-sets': { must: 'each of the five sets is as the document says' },
    'linux-process/no-new-privileges': { must: 'with noNewPrivileges the process cannot gain rights' },
    'linux-process/oom-score': { must: 'oom_score_adj is set to oomScoreAdj where that is given' },
    'linux-process/oom-score-untouched': { must: 'oom_score_adj stays as it is where oomScoreAdj is not given' },
    'linux-process/apparmor': { must: 'the process runs under its AppArmor profile', untried: NO_APPARMOR },
    'linux-process/selinux': { must: 'the process runs under its SELinux label', refused: NO_LSM },
    'linux-process/scheduler': { must: 'policy and parameters of the scheduler are set' },
    'linux-process/io-priority': { must: 'class and level of io priority are set' },
    'linux-process/exec-cpu-affinity': { must: 'a process that enters the container runs on the given processors' },

    'posix-platform-user/ids': { must: 'uid and gid are numbers of the container’s namespace, and the process has them' },
    'posix-platform-user/additional-groups': { must: 'additionalGids are the process’s further groups' },
    'posix-platform-user/umask': { must: 'umask is the process’s mask' },

    'hostname/set': { must: 'hostname is what programs of the container see' },
    'domainname/set': { must: 'domainname is what programs of the container see' },

    'posix-platform-hooks/path': { must: 'a hook’s path is there and is absolute' },
    'posix-platform-hooks/timeout': { must: 'a timeout is greater than zero' },
    'posix-platform-hooks/order': { must: 'hooks run in the order of their list' },
    'posix-platform-hooks/state': { must: 'a hook reads the container’s state on its standard input' },
    'prestart/when': { must: 'prestart hooks run while the container is created, after its namespaces and before its root is entered' },
    'prestart/first': { must: 'prestart hooks run before createRuntime hooks' },
    'prestart/where': { must: 'path and program of a prestart hook are those of the host' },
    'createruntime-hooks/when': { must: 'createRuntime hooks run while the container is created, before its root is entered' },
    'createruntime-hooks/where': { must: 'path and program of a createRuntime hook are those of the host' },
    'createcontainer-hooks/when': { must: 'createContainer hooks run while the container is created, before its root is entered' },
    'createcontainer-hooks/after': { must: 'createContainer hooks run after createRuntime hooks' },
    'createcontainer-hooks/path': { must: 'the path of a createContainer hook is one of the host' },
    'createcontainer-hooks/where': { must: 'a createContainer hook runs in the container’s namespaces' },
    'startcontainer-hooks/when': { must: 'startContainer hooks run at the start, before the program' },
    'startcontainer-hooks/path': { must: 'the path of a startContainer hook is one of the container' },
    'startcontainer-hooks/where': { must: 'a startContainer hook runs in the container’s namespaces' },
    'poststart/when': { must: 'poststart hooks run after the program has been started and before start is over' },
    'poststart/where': { must: 'path and program of a poststart hook are those of the host' },
    'poststop/when': { must: 'poststop hooks run after the container has been deleted and before delete is over' },
    'poststop/where': { must: 'path and program of a poststop hook are those of the host' },

    'annotations/map': { must: 'annotations are keys with values' },
    'annotations/keys': { must: 'a key is text, and not empty' },
    'annotations/reverse-domain': { should: 'a key begins with a reversed domain name', author: 'names belong to those who give them' },
    'annotations/reserved': { must: 'org.opencontainers is left to the specification', author: 'names belong to those who give them' },
    'annotations/unknown-keys': { must: 'an unknown key is no error' },
    'annotations/values': { must: 'a value is text' },

    'extensibility/unknown-properties': { must: 'a property that we do not know is no error' },
    'extensibility/ignored': { must: 'a property that we do not know has no effect' },
    'valid-values/invalid': { must: 'a value that is invalid or not supported is an error, or it is left alone with a warning' },
  },
};

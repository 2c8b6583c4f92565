/** Normative statements of the runtime specification's config-linux.md about control groups. @see statements.ts */
import type { Chapter } from './statements.ts';

const V2_ALONE = 'needs a host with cgroup v2 alone, and the checks of the virtual machine that is one call ours only';
const HANDED_OVER = 'other runtimes hand groups over on cgroup v2 alone, and the checks of the virtual machine that has it call ours only';

export const CONTROL_GROUPS: Chapter['statements'] = {
  'control-groups/unfit': { must: 'a group that is found unfit, such as one that holds strangers’ processes, is an error' },

  'cgroups-path/absolute': { must: 'an absolute path counts from where the hierarchy is mounted' },
  'cgroups-path/same-place': { must: 'one path means one place, each time' },
  'cgroups-path/invalid': { must: 'a path that is not accepted is an error' },

  'cgroup-ownership/not-on-v1': {
    should: 'on v1 the group keeps its owner',
    not: 'a lab machine has to divide its own groups on v1 hosts too; limits stay with the host, in files that are not handed over',
  },
  'cgroup-ownership/with-namespace': { should: 'the group changes hands only with a new cgroup namespace' },
  'cgroup-ownership/when-writable': { should: 'the group changes hands exactly where its file system is mounted for writing' },
  'cgroup-ownership/files': {
    should: 'only the directory and the files that the kernel lists for delegation change hands',
    not: 'a fixed list: what kernels list today and the specification falls back to, and v1’s tasks; none of them is a limit',
  },
  'cgroup-ownership/missing-files': { must: 'a listed file that a group does not have is no error', untried: HANDED_OVER },
  'cgroup-ownership/fallback': {
    must: 'without the kernel’s list, the three files of the specification change hands',
    untried: HANDED_OVER,
  },
  'cgroup-ownership/no-others': { should: 'no other file changes hands, so that limits cannot be lifted', untried: HANDED_OVER },

  'allowed-device-list/order': { must: 'device rules count in the order of the list' },
  'allowed-device-list/allow': { must: 'a rule says whether it allows' },

  'memory/limits': { must: 'memory, reservation and swap are limited as the document says; -1 lifts a limit' },
  'memory/check-before-update': {
    must: 'with checkBeforeUpdate a new limit below what is in use is refused',
    untried: 'asked while a limit changes, for which command lines have no common words',
  },
  'cpu/limits': { must: 'shares, quota, period, processors and memory nodes are as the document says' },
  'cpu/burst-and-quota': { must: 'burst is no larger than quota' },
  'block-io/weight-device': { must: 'a device’s entry has weight or leafWeight' },
  'block-io/rate': { must: 'a throttle has numbers and a rate' },
  'huge-page-limits/fields': { must: 'a limit has the page’s size and a number of bytes' },
  'network/priority-fields': {
    must: 'a priority has an interface’s name and a number',
  },
  'pids/limit': { must: 'the number of tasks is limited as the document says' },
  'pids/zero': { should: '0 is a limit like any other' },
  'rdma/one-of-two': {
    must: 'an entry limits handles, objects or both',
  },

  'unified/controllers': { must: 'the controllers that the keys need are enabled', untried: V2_ALONE },
  'unified/written': { must: 'a key that we do not know is written all the same', untried: V2_ALONE },
  'unified/missing-controller': { must: 'a key of a controller that is not there, or cannot be enabled, is an error' },
  'unified/no-conversion': { must: 'a v1 limit without an equal on v2 is an error there', untried: V2_ALONE },
};

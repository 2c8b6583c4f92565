/**
 * Limits on what leaves the CPU, of `linux.resources`: disks, huge pages, packets, RDMA.
 *
 * Knows: the shapes and ranges the kernel's control files take. Does not know: which controllers a host has (packages/cgroups).
 *
 * @spec runtime-spec/config-linux.md#control-groups
 */
import { at, type IssueList, isAbsent, type Json } from './issue-list.ts';

const INT64_MAX = 9_223_372_036_854_775_807n;
const UINT32_MAX = 4_294_967_295;

const RATES = ['throttleReadBpsDevice', 'throttleWriteBpsDevice', 'throttleReadIOPSDevice', 'throttleWriteIOPSDevice'];

/** @spec runtime-spec/config-linux.md#block-io */
export function checkBlockIo(list: IssueList, path: string, value: unknown): void {
  const io = list.object(path, value);
  if (io === undefined) return;
  checkWeights(list, path, io);
  list.array(`${path}/weightDevice`, io['weightDevice'], (item, entry) => {
    const device = checkDeviceNumbers(list, item, entry);
    if (device === undefined) return;
    checkWeights(list, item, device);
    if (isAbsent(device['weight']) && isAbsent(device['leafWeight'])) list.add(item, 'needs a weight or a leafWeight');
  });
  for (const field of RATES) {
    list.array(`${path}/${field}`, io[field], (item, entry) => {
      const device = checkDeviceNumbers(list, item, entry);
      if (device !== undefined) list.integer(`${item}/rate`, device['rate'], { required: true, min: 0, max: INT64_MAX });
    });
  }
}

/** Zero leaves the default; else 10 to 1000. */
function checkWeights(list: IssueList, path: string, fields: Json): void {
  for (const field of ['weight', 'leafWeight']) {
    const weight = list.integer(`${path}/${field}`, fields[field], { min: 0, max: 1000 });
    if (weight !== undefined && weight > 0 && weight < 10) list.add(`${path}/${field}`, `is ${weight}, needs to be 10 to 1000`);
  }
}

function checkDeviceNumbers(list: IssueList, path: string, entry: unknown): Json | undefined {
  const device = list.object(path, entry, true);
  if (device === undefined) return undefined;
  list.integer(`${path}/major`, device['major'], { required: true, min: 0, max: 4095 });
  list.integer(`${path}/minor`, device['minor'], { required: true, min: 0, max: 1_048_575 });
  return device;
}

/**
 * `hugepageLimits`, `network` and `rdma` below `path`.
 * @spec runtime-spec/config-linux.md#huge-page-limits, runtime-spec/config-linux.md#rdma
 */
export function checkFurtherLimits(list: IssueList, path: string, resources: Json): void {
  list.array(`${path}/hugepageLimits`, resources['hugepageLimits'], (item, entry) => {
    const limit = list.object(item, entry, true);
    if (limit === undefined) return;
    const size = list.text(`${item}/pageSize`, limit['pageSize'], { required: true });
    if (size !== undefined && !/^[1-9][0-9]*[KMG]B$/.test(size)) list.add(`${item}/pageSize`, 'is not a page size such as "2MB"');
    list.integer(`${item}/limit`, limit['limit'], { required: true, min: 0, max: INT64_MAX });
  });
  checkNetwork(list, `${path}/network`, resources['network']);
  for (const [name, value] of Object.entries(list.object(`${path}/rdma`, resources['rdma']) ?? {})) {
    const limits = list.object(at(`${path}/rdma`, name), value, true);
    if (limits !== undefined && isAbsent(limits['hcaHandles']) && isAbsent(limits['hcaObjects'])) {
      list.add(at(`${path}/rdma`, name), 'needs hcaHandles or hcaObjects');
    }
    for (const field of limits === undefined ? [] : ['hcaHandles', 'hcaObjects']) {
      list.integer(`${at(`${path}/rdma`, name)}/${field}`, limits?.[field], { min: 0, max: UINT32_MAX });
    }
  }
}

/** @spec runtime-spec/config-linux.md#network */
function checkNetwork(list: IssueList, path: string, value: unknown): void {
  const network = list.object(path, value);
  if (network === undefined) return;
  list.integer(`${path}/classID`, network['classID'], { min: 0, max: UINT32_MAX });
  list.array(`${path}/priorities`, network['priorities'], (item, entry) => {
    const priority = list.object(item, entry, true);
    if (priority === undefined) return;
    list.text(`${item}/name`, priority['name'], { required: true });
    list.integer(`${item}/priority`, priority['priority'], { required: true, min: 0, max: UINT32_MAX });
  });
}

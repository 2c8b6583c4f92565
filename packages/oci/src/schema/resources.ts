/**
 * Schema of `linux.resources`: the limits of the container's cgroup. Data.
 *
 * Knows: each field's shape and, in its description, the control file it ends in on cgroup v1 and v2.
 * Does not know: rules between fields (validate-resources.ts), nor which controllers a host has.
 */
import { flag, integer, list, map, object, type SchemaNode, text, word } from './shape.ts';

/** 2^63-1 as JSON's doubles write it. */
const INT64_MAX = 2 ** 63;
const UINT32_MAX = 4_294_967_295;

const bytes = (description: string, extras: object = {}): SchemaNode =>
  integer(description, { minimum: -1, maximum: INT64_MAX, ...extras });
const count = (description: string, maximum = INT64_MAX): SchemaNode => integer(description, { minimum: 0, maximum });

const MEMORY = object(
  'Memory of all processes together, in bytes; -1 lifts a limit. Usage: memory.usage_in_bytes (v1), memory.current (v2).',
  {
    optional: {
      limit: bytes(
        'Hard limit: beyond it the kernel reclaims, and then ends a process of the container. memory.limit_in_bytes (v1), memory.max (v2).',
        {
          anyOf: [{ maximum: 0 }, { minimum: 524_288 }],
          examples: [67_108_864],
        },
      ),
      reservation: bytes(
        'Soft limit: down to it the kernel reclaims first when the host runs short. memory.soft_limit_in_bytes (v1), memory.low (v2).',
      ),
      swap: bytes('Memory plus swap together. memory.memsw.limit_in_bytes (v1); memory.swap.max (v2) gets the difference to `limit`.'),
      kernel: bytes('Limit of kernel memory alone; the kernel no longer acts on it (memory.kmem.limit_in_bytes, v1).'),
      kernelTCP: bytes('Limit of TCP buffers. memory.kmem.tcp.limit_in_bytes (v1); has no counterpart on v2.'),
      swappiness: integer('Readiness to swap rather than drop file cache, 0 to 100. memory.swappiness (v1 only).', {
        minimum: 0,
        maximum: 100,
      }),
      disableOOMKiller: flag('Whether processes wait at the limit instead of being ended. memory.oom_control (v1 only).'),
      useHierarchy: flag('Whether child cgroups count too. memory.use_hierarchy (v1); always so on v2.'),
      checkBeforeUpdate: flag('Whether an update is refused that would put the limit below present usage.'),
    },
  },
);

const cpus = (description: string): SchemaNode =>
  text(description, {
    pattern: '^\\s*([0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*)?\\s*$',
    patternErrorMessage: 'is not a list such as "0-3,7"',
    examples: ['0', '0-1'],
  });

const CPU = object('CPU time of all processes together, and the CPUs they may use.', {
  optional: {
    shares: integer(
      'Weight against other cgroups when CPUs are contended, 2 to 262144 (1024 is usual, 0 the default). cpu.shares (v1), as cpu.weight (v2).',
      {
        minimum: 0,
        maximum: 262_144,
        not: { const: 1 },
        examples: [512, 1024],
      },
    ),
    quota: integer('Microseconds of CPU time in each period; -1 lifts it. cpu.cfs_quota_us (v1), first number of cpu.max (v2).', {
      minimum: -1,
      maximum: INT64_MAX,
      anyOf: [{ maximum: 0 }, { minimum: 1000 }],
      examples: [50_000],
    }),
    burst: count('Unused quota that may be saved for later, microseconds. cpu.cfs_burst_us (v1), cpu.max.burst (v2).'),
    period: integer('Length of a period, microseconds. cpu.cfs_period_us (v1), second number of cpu.max (v2).', {
      minimum: 0,
      maximum: 1_000_000,
      anyOf: [{ const: 0 }, { minimum: 1000 }],
      examples: [100_000],
    }),
    realtimeRuntime: integer('Microseconds of real-time CPU time in each real-time period. cpu.rt_runtime_us (v1 only).', {
      minimum: -1,
      maximum: INT64_MAX,
    }),
    realtimePeriod: count('Length of a real-time period, microseconds. cpu.rt_period_us (v1 only).'),
    cpus: cpus('CPUs the processes may run on. cpuset.cpus; `Cpus_allowed_list:` in /proc/PID/status.'),
    mems: cpus('NUMA nodes their memory may come from. cpuset.mems; `Mems_allowed_list:` in /proc/PID/status.'),
    idle: integer('1: run only when nobody else wants the CPU. cpu.idle.', { minimum: 0, maximum: 1 }),
  },
});

const weight = (description: string): SchemaNode =>
  integer(description, { minimum: 0, maximum: 1000, anyOf: [{ const: 0 }, { minimum: 10 }], examples: [500] });

const deviceNumbers = {
  major: integer('Major number of the block device: its driver.', { minimum: 0, maximum: 4095 }),
  minor: integer('Minor number of the block device: which of the driver’s.', { minimum: 0, maximum: 1_048_575 }),
};

const rates = (description: string): SchemaNode =>
  list(description, object('The rate for one device.', { required: { ...deviceNumbers, rate: count('The rate, per second.') } }));

const BLOCK_IO = object('Traffic to block devices. Usage: blkio.throttle.io_service_bytes (v1), io.stat (v2).', {
  optional: {
    weight: weight(
      'Share against other cgroups on a contended disk, 10 to 1000. blkio.bfq.weight or blkio.weight (v1), io.bfq.weight or io.weight (v2).',
    ),
    leafWeight: weight('Share of the own processes against child cgroups. blkio.leaf_weight (v1 with the former CFQ scheduler only).'),
    weightDevice: list(
      'Weights for single devices. blkio.bfq.weight_device (v1), io.bfq.weight (v2).',
      object('The weight for one device.', {
        required: deviceNumbers,
        optional: { weight: weight('As `weight`.'), leafWeight: weight('As `leafWeight`.') },
      }),
    ),
    throttleReadBpsDevice: rates('Bytes a second that may be read. blkio.throttle.read_bps_device (v1), rbps in io.max (v2).'),
    throttleWriteBpsDevice: rates('Bytes a second that may be written. blkio.throttle.write_bps_device (v1), wbps in io.max (v2).'),
    throttleReadIOPSDevice: rates('Read operations a second. blkio.throttle.read_iops_device (v1), riops in io.max (v2).'),
    throttleWriteIOPSDevice: rates('Write operations a second. blkio.throttle.write_iops_device (v1), wiops in io.max (v2).'),
  },
});

const DEVICE_RULE = object(
  'One device rule; rules apply in order, later ones over earlier ones. devices.allow and devices.deny (v1), a BPF program (v2).',
  {
    required: { allow: flag('Whether access is given or taken.') },
    optional: {
      type: word('a: all, b: block, c: character; absent is all.', ['a', 'b', 'c', '']),
      major: integer('Major number; absent or -1 is all.', { minimum: -1, maximum: 4095 }),
      minor: integer('Minor number; absent or -1 is all.', { minimum: -1, maximum: 1_048_575 }),
      access: text('Letters of r (read), w (write), m (mknod).', {
        pattern: '^[rwm]{0,3}$',
        patternErrorMessage: 'may hold r, w and m only',
        examples: ['rwm'],
      }),
    },
  },
);

export const RESOURCES_SCHEMA = object(
  'Limits of the container’s cgroup: each becomes a write to a control file below /sys/fs/cgroup, before the program starts.',
  {
    optional: {
      devices: list('Which device nodes may be opened or made.', DEVICE_RULE),
      memory: MEMORY,
      cpu: CPU,
      pids: object('Number of processes and threads together. Usage: pids.current.', {
        required: {
          limit: integer('Beyond it fork(2) fails with EAGAIN; -1: unlimited. pids.max.', {
            minimum: -1,
            maximum: INT64_MAX,
            examples: [100],
          }),
        },
      }),
      blockIO: BLOCK_IO,
      hugepageLimits: list(
        'Huge pages by size. hugetlb.SIZE.limit_in_bytes (v1), hugetlb.SIZE.max (v2).',
        object('The limit for one page size.', {
          required: {
            pageSize: text('Page size as the kernel’s file names have it.', {
              pattern: '^[1-9][0-9]*[KMG]B$',
              patternErrorMessage: 'is not a page size such as "2MB"',
              examples: ['2MB', '1GB'],
            }),
            limit: count('Limit in bytes.'),
          },
        }),
      ),
      network: object('Marks for the host’s traffic control (v1 only).', {
        optional: {
          classID: integer('Class of the container’s packets for tc(8). net_cls.classid.', { minimum: 0, maximum: UINT32_MAX }),
          priorities: list(
            'Priority of the container’s packets by interface. net_prio.ifpriomap.',
            object('One interface.', {
              required: {
                name: text('Interface, as it is called in the runtime’s network namespace.', { minLength: 1 }),
                priority: integer('Its priority.', { minimum: 0, maximum: UINT32_MAX }),
              },
            }),
          ),
        },
      }),
      rdma: map(
        'RDMA adapters by name. rdma.max.',
        object('Limits for one adapter.', {
          optional: {
            hcaHandles: integer('Handles that may be open.', { minimum: 0, maximum: UINT32_MAX }),
            hcaObjects: integer('Objects that may be made.', { minimum: 0, maximum: UINT32_MAX }),
          },
        }),
      ),
      unified: map('cgroup v2 only: control file → text that is written to it as it stands.', text('What is written.'), {
        propertyNames: { pattern: '^[a-z][a-z0-9_]*(\\.[A-Za-z0-9_-]+)+$' },
        examples: [{ 'memory.high': '60000000' }],
      }),
    },
  },
);

/**
 * One reading of a container's use, as `docker stats` wants it.
 *
 * Knows: units (nanoseconds), and that shares are computed by the client from two readings.
 * Does not know: control files.
 *
 * @spec docker-api/v1.47#operation/ContainerStats
 */
import { cpus, totalmem } from 'node:os';
import type { Backend, BackendContainer } from './backend.ts';
import { ZERO_TIME } from './human-duration.ts';

interface CpuStats {
  readonly cpu_usage: { readonly total_usage: number; readonly usage_in_kernelmode: number; readonly usage_in_usermode: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: { readonly periods: number; readonly throttled_periods: number; readonly throttled_time: number };
}

export interface StatsJson {
  readonly read: string;
  readonly preread: string;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly [other: string]: unknown;
}

const NO_CPU: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/** @throws not-found once the container is gone */
export async function toStatsJson(backend: Backend, container: BackendContainer, previous: StatsJson | undefined): Promise<StatsJson> {
  const { readAt, usage = {} } = await backend.stats(container.id);
  const processors = cpus();
  const cpuStats: CpuStats = {
    ...NO_CPU,
    cpu_usage: { ...NO_CPU.cpu_usage, total_usage: (usage.cpuUsageUs ?? 0) * 1000 },
    system_cpu_usage: processors.reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.idle + times.irq, 0) * 1e6,
    online_cpus: processors.length,
    throttling_data: { ...NO_CPU.throttling_data, throttled_time: (usage.throttledUs ?? 0) * 1000 },
  };
  return {
    id: container.id,
    name: `/${container.name}`,
    read: readAt,
    preread: previous?.read ?? ZERO_TIME,
    pids_stats: { current: usage.pids, limit: usage.pidsLimit },
    blkio_stats: { io_service_bytes_recursive: null },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuStats,
    precpu_stats: previous?.cpu_stats ?? NO_CPU,
    memory_stats: { usage: usage.memoryBytes, max_usage: usage.memoryPeakBytes, stats: {}, limit: usage.memoryLimitBytes ?? totalmem() },
  };
}

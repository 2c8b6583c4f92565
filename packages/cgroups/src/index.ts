export { applyWrites, type CgroupDirectories, isReadBack } from './apply-writes.ts';
export { type Cgroup, cgroupExists, openCgroup, reopenCgroup } from './cgroup.ts';
export { type CgroupPlace, parseCgroupPath } from './cgroup-path.ts';
export type { CgroupPlan, CgroupWrite, ReadBack } from './control-writes.ts';
export { planDeviceProgram } from './device-program.ts';
export {
  type CgroupHierarchy,
  type CgroupHost,
  type CgroupMode,
  type DetectOptions,
  detectCgroups,
  findController,
  findUnified,
} from './host.ts';
export { makeRoomForGroups } from './make-room.ts';
export { planCgroup } from './plan.ts';
export { weightOfShares } from './plan-v2.ts';
export { createMoveReadier } from './ready-moves.ts';
export { type CgroupStats, readStats } from './stats.ts';
export { parseScopeName, type ScopeName } from './systemd/scope-name.ts';
export { planProperties } from './systemd/scope-properties.ts';
export { requireSystemd, setScopeLimits, startScope, stopScope } from './systemd/scopes.ts';
export { type BlockIoUse, type CgroupUsage, type MemoryUse, readUsage } from './usage.ts';

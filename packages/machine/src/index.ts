export type { EnterCommand, MachineHandle, MachineLimits, Machines } from './machines.ts';
export { type MachinesOptions, openMachines } from './open-machines.ts';
export { LAB_DIR_INSIDE } from './spec.ts';

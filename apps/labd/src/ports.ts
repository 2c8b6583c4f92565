/**
 * What labd needs of the parts that touch the host, so that tests can bring stand-ins.
 *
 * Knows: interfaces only.
 * Does not know: who satisfies them; main.ts does.
 */
import type { JournalBody } from '@slipway/journal';
import type { MachineHandle, Machines } from '@slipway/machine';
import type { Tape } from '@slipway/observe';
import type { PtyHostClient, PtyHostListener } from '@slipway/terminal';

export type LabMachines = Pick<Machines, 'ensure' | 'reset' | 'enterCommand' | 'run' | 'removeAll'>;

export type { MachineHandle };

export type EmitFromHost = (body: JournalBody, atMs: number) => void;

/** One machine being watched. */
export interface Watch {
  /** A process (host pid) that is about to enter the machine. */
  follow(hostPid: number): void;
  stop(): void;
}

/** Watches machines from the host: kernel events, processes, cgroups. */
export interface HostObserver {
  /** Whether kernel events are recorded; else why not. */
  readonly trace: { readonly available: boolean; readonly reason?: string };
  /** `onEnd`: the machine's pid 1 has ended without our doing. */
  watch(machine: MachineHandle, emit: EmitFromHost, onEnd: () => void): Watch;
  /**
   * Records everything that makes a container of what this process (host pid) and those below it start from now on.
   *
   * @throws EngineError `unsupported` / `E_TRACEFS_UNAVAILABLE`
   */
  record(hostPid: number): Promise<Tape>;
  close(): Promise<void>;
}

export type PtyHost = Pick<PtyHostClient, 'create' | 'list' | 'close' | 'attach' | 'disconnect' | 'shutdown'>;

/** Finds the pty host, or starts one. */
export type OpenPtyHost = (listener: PtyHostListener) => Promise<PtyHost>;

/** What is known of the host when labd starts. */
export interface HostFacts {
  readonly version: string;
  readonly kernel: string;
  readonly cgroupMode: 'v1' | 'v2' | 'hybrid';
}

export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

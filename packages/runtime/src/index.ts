export { type CreateRuntimeOptions, createRuntime } from './create-runtime.ts';
export { detectHost } from './detect-host.ts';
export { chooseRuntime } from './foreign/choose.ts';
export { CLAMP_ANNOTATION } from './plan/clamp.ts';
export type { RuntimePlan } from './plan/draft.ts';
export type { BundleFacts, CgroupHierarchy, CgroupLayout, ContainerFacts, Host, HostFacts, JoinableNamespace } from './plan/host.ts';
export { plan, planExec } from './plan/plan.ts';
export { planSources } from './plan-source.ts';
export type {
  BirthOperation,
  ContainerState,
  ContainerStatus,
  CreateRequest,
  ExecRequest,
  Runtime,
  RuntimeOptions,
  StartedProcess,
} from './runtime.ts';

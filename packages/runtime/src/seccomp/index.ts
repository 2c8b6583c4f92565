export { decodeProgram } from './bpf.ts';
export { type CompiledSeccomp, compileSeccomp } from './compile.ts';

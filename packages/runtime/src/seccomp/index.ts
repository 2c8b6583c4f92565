export { type CompiledSeccomp, compileSeccomp } from './compile.ts';

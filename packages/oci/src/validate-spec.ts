/**
 * Checks a config.json and reports everything wrong with it, each with its JSON pointer.
 *
 * Knows: what the runtime specification, and the kernel behind it, can never accept.
 * Does not know: this host (missing controllers or namespaces are the planner's to refuse), nor what the fields lead to.
 *
 * Written by hand rather than with a schema library: it runs on the start path of every container, and reading a
 * library costs more time than checking a document.
 *
 * @spec runtime-spec/config.md
 */
import { EngineError, type Issue } from '@slipway/errors';
import { at, IssueList, isAbsent, type Json, quote } from './issue-list.ts';
import { isPropagation, parseMountOptions } from './mount-options.ts';
import type { RuntimeSpec } from './runtime-spec.ts';
import { checkIdMappings, checkLinux, hasNamespace } from './validate-linux.ts';
import { checkProcess } from './validate-process.ts';

/**
 * Returns the document itself, typed, when nothing is wrong with it. Fields the specification does not name are ignored, as it asks.
 *
 * @throws EngineError `invalid-argument` / `E_SPEC_INVALID`; `issues` holds every finding (the first 200)
 * @spec runtime-spec/config.md#extensibility, runtime-spec/config.md#valid-values
 */
export function validateSpec(document: unknown): RuntimeSpec {
  const issues = findSpecIssues(document);
  const [first] = issues;
  if (first === undefined) return document as RuntimeSpec;
  const more = issues.length === 1 ? '' : ` (and ${issues.length - 1} more)`;
  throw new EngineError('invalid-argument', `config.json: ${first.path || 'the document'} ${first.message}${more}`, {
    code: 'E_SPEC_INVALID',
    op: 'spec.validate',
    subject: first.path,
    hint: 'compare with the document that `runc spec` prints',
    issues,
  });
}

/** The same findings as data, for editors that show them while somebody types; empty when the document is sound. */
export function findSpecIssues(document: unknown): readonly Issue[] {
  const list = new IssueList();
  const spec = list.object('', document, true);
  if (spec !== undefined) checkSpec(list, spec);
  return list.issues;
}

/** @spec runtime-spec/config.md#root/required, runtime-spec/config.md#root/path */
function checkSpec(list: IssueList, spec: Json): void {
  checkVersion(list, spec['ociVersion']);
  const linux = list.object('/linux', spec['linux']);
  const root = list.object('/root', spec['root'], true);
  if (root !== undefined) {
    list.text('/root/path', root['path'], { required: true });
    list.boolean('/root/readonly', root['readonly']);
  }
  checkProcess(list, spec['process']);
  checkNames(list, spec, linux);
  list.array('/mounts', spec['mounts'], (path, item) => checkMount(list, path, item));
  checkAnnotations(list, spec['annotations']);
  checkHooks(list, spec['hooks']);
  if (linux !== undefined) checkLinux(list, linux, spec);
}

/**
 * A later minor version only adds what readers must ignore; another major one may change meanings.
 * @spec runtime-spec/config.md#specification-version
 */
function checkVersion(list: IssueList, value: unknown): void {
  const version = list.text('/ociVersion', value, { required: true });
  if (version === undefined) return;
  const [, major] = /^([0-9]+)\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]*)?$/.exec(version) ?? [];
  if (major === undefined) list.add('/ociVersion', `${quote(version)} is not a semantic version`);
  else if (major !== '1') list.add('/ociVersion', `${quote(version)} is not supported; this engine reads 1.x`);
}

/** Names that would be set for the whole host unless there is a namespace for them. */
function checkNames(list: IssueList, spec: Json, linux: Json | undefined): void {
  for (const field of ['hostname', 'domainname']) {
    const name = list.text(`/${field}`, spec[field], { empty: 'allowed' });
    if (name === undefined || name === '') continue;
    // __NEW_UTS_LEN of the kernel.
    if (Buffer.byteLength(name) > 64) list.add(`/${field}`, 'is longer than 64 bytes');
    if (/[\n\r]/.test(name)) list.add(`/${field}`, 'holds a line break');
    if (!hasNamespace(linux, 'uts')) list.add(`/${field}`, 'needs a uts namespace in /linux/namespaces, or it would be set for the host');
  }
}

function checkMount(list: IssueList, path: string, item: unknown): void {
  const mount = list.object(path, item, true);
  if (mount === undefined) return;
  // Relative ones, which older engines write, count from /.
  list.text(`${path}/destination`, mount['destination'], { required: true });
  list.text(`${path}/type`, mount['type'], { empty: 'allowed' });
  list.text(`${path}/source`, mount['source'], { empty: 'allowed' });
  const options = list.texts(`${path}/options`, mount['options'], { empty: 'allowed' });
  const words = (options ?? []).filter((word) => typeof word === 'string');
  const parsed = parseMountOptions(words);
  const isBind = parsed.bind !== undefined || mount['type'] === 'bind';
  if (isBind && (typeof mount['source'] !== 'string' || mount['source'] === ''))
    list.add(`${path}/source`, 'is missing, and a bind mount needs one');
  if (words.filter(isPropagation).length > 1) list.add(`${path}/options`, 'holds more than one propagation type');
  checkMountMappings(list, { path, mount, isBind });
}

/** @spec runtime-spec/config.md#posix-platform-mounts */
function checkMountMappings(list: IssueList, { path, mount, isBind }: { path: string; mount: Json; isBind: boolean }): void {
  const both = ['uidMappings', 'gidMappings'].filter((field) => !isAbsent(mount[field]));
  for (const field of both) checkIdMappings(list, `${path}/${field}`, mount[field]);
  if (both.length === 1) list.add(path, `has ${both[0]} only; an id-mapped mount needs uidMappings and gidMappings`);
  if (both.length > 0 && !isBind) list.add(path, 'is not a bind mount, and only those can be id-mapped');
}

/** @spec runtime-spec/config.md#annotations */
function checkAnnotations(list: IssueList, value: unknown): void {
  const annotations = list.object('/annotations', value);
  for (const [key, text] of Object.entries(annotations ?? {})) {
    if (key === '') list.add('/annotations', 'holds an empty key');
    list.text(at('/annotations', key), text, { required: true, empty: 'allowed' });
  }
}

export const HOOK_KINDS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;

function checkHooks(list: IssueList, value: unknown): void {
  const hooks = list.object('/hooks', value);
  if (hooks === undefined) return;
  for (const kind of HOOK_KINDS) {
    list.array(`/hooks/${kind}`, hooks[kind], (path, item) => {
      const hook = list.object(path, item, true);
      if (hook === undefined) return;
      list.absolutePath(`${path}/path`, hook['path']);
      list.texts(`${path}/args`, hook['args'], { empty: 'allowed' });
      list.texts(`${path}/env`, hook['env']);
      list.integer(`${path}/timeout`, hook['timeout'], { min: 1, max: 86_400 });
    });
  }
}

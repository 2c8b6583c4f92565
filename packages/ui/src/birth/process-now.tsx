/**
 * The half-born container as it is now, with what the last step changed marked.
 *
 * Knows: a process's facts and how to mark a change: by a word, a sign and a colour. Does not know: which operation did it.
 */
import type { ProcessView } from '@slipway/contracts';
import type { NamespaceName } from '@slipway/journal/types';
import type { CSSProperties, ReactNode } from 'react';
import { KindMark } from '../base/controls.tsx';
import { visible } from '../base/format.ts';
import { NAMESPACE_KINDS } from '../base/kinds.ts';
import type { ListedMount, ProcessChange } from './diff.ts';

export function ProcessNow({ view, change }: { readonly view: ProcessView; readonly change: ProcessChange }) {
  return (
    <section className="birth-now" aria-label="The half-born container now">
      <Namespaces view={view} change={change} />
      <dl className="birth-facts">
        {facts(view).map(([name, label, value]) => (
          <div key={name} className={change.facts.has(name) ? 'changed' : ''}>
            <dt>{label}</dt>
            <dd>
              {visible(value)} {change.facts.has(name) ? <Changed /> : null}
            </dd>
          </div>
        ))}
        <div className={change.capabilitiesLost.length + change.capabilitiesGained.length > 0 ? 'changed' : ''}>
          <dt>capabilities in force</dt>
          <dd>{capabilityText(view, change)}</dd>
        </div>
      </dl>
      <Section title={`Root directory, ${view.rootEntries.length} names`} changed={change.rootAdded.size + change.rootRemoved.length > 0}>
        <p className="birth-entries">
          {view.rootEntries.map((name) => (
            <code key={name} className={change.rootAdded.has(name) ? 'added' : ''}>
              {change.rootAdded.has(name) ? '+' : ''}
              {visible(name)}
            </code>
          ))}
          {change.rootRemoved.map((name) => (
            <code key={`gone ${name}`} className="removed">
              −{visible(name)}
            </code>
          ))}
        </p>
      </Section>
      <MountTable mounts={change.mounts} leftOut={view.mountsLeftOut} />
    </section>
  );
}

function Namespaces({ view, change }: { readonly view: ProcessView; readonly change: ProcessChange }) {
  return (
    <ul className="birth-namespaces" aria-label="Namespaces">
      {view.namespaces.map(({ kind, inode, own }) => {
        const { letter, color } = kindOf(kind);
        const changed = change.namespaces.has(kind);
        return (
          <li key={kind} className={`${own ? 'own' : 'shared'} ${changed ? 'changed' : ''}`} style={{ '--kind': color } as CSSProperties}>
            <KindMark letter={letter} color={color} title={kind} />
            <span className="birth-kind">{kind}</span>
            <code className="num">{inode}</code>
            <span className="birth-own">{own ? 'its own' : 'the machine’s'}</span>
            {changed ? <Changed /> : null}
          </li>
        );
      })}
    </ul>
  );
}

function MountTable({ mounts, leftOut }: { readonly mounts: readonly ListedMount[]; readonly leftOut: number }) {
  const now = mounts.filter(({ mark }) => mark !== 'gone');
  return (
    <Section title={`Mount table, ${now.length + leftOut} mounts`} changed={mounts.some(({ mark }) => mark !== 'same')}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
      <section className="scroll birth-mounts" tabIndex={0} aria-label="Mount table">
        <table className="data-table">
          <caption className="sr-only">Mounts as the process sees them, from its mountinfo</caption>
          <thead>
            <tr>
              {['', 'mount point', 'type', 'source', 'options', 'id'].map((column) => (
                <th key={column} scope="col">
                  {column === '' ? <span className="sr-only">change</span> : column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {mounts.map(({ mount, mark }) => (
              <tr key={`${mark} ${mount.id}`} className={`mount-${mark}`}>
                <td>{MARKS[mark]}</td>
                <td>
                  <code>{visible(mount.mountPoint)}</code>
                </td>
                <td>{visible(mount.fsType)}</td>
                <td>{visible(mount.root === '/' ? mount.source : mount.root)}</td>
                <td title={mount.options}>{visible(mount.options)}</td>
                <td className="num">{mount.id}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {leftOut > 0 ? <p className="explorer-hint">{leftOut} more are not shown.</p> : null}
    </Section>
  );
}

const MARKS = { new: '+ new', gone: '− gone', changed: '~ moved or changed', same: '' } as const;

function Section({ title, changed, children }: { readonly title: string; readonly changed: boolean; readonly children: ReactNode }) {
  return (
    <section className="birth-section">
      <h4>
        {title} {changed ? <Changed /> : null}
      </h4>
      {children}
    </section>
  );
}

function Changed() {
  return <span className="birth-changed">changed</span>;
}

/** The facts in words: name for comparison, label, value. */
export function facts(view: ProcessView): readonly (readonly [name: string, label: string, value: string])[] {
  const { uid, gid, groups, cgroups, capabilities } = view;
  const memory = cgroups.find(({ controllers }) => controllers.includes('memory')) ?? cgroups.at(-1);
  const files = view.limits.find(({ name }) => name === 'open files');
  return [
    ['hostname', 'host name', view.hostname ?? 'not to be seen'],
    ['program', 'program', view.program || 'none'],
    ['cwd', 'working directory', view.cwd || 'not to be seen'],
    ['uid', 'user', `uid ${uid}, gid ${gid}${groups.length > 0 ? `, groups ${groups.join(' ')}` : ''}`],
    [
      'uidMap',
      'user ids',
      view.uidMap.map(({ inside, outside, size }) => `${inside} is ${outside} outside (${size})`).join('; ') || 'not mapped',
    ],
    ['cgroups', 'cgroup', memory?.path ?? 'none'],
    ['bounding', 'capabilities it may ever get', String(capabilities.bounding.length)],
    ['noNewPrivileges', 'new privileges', view.noNewPrivileges ? 'forbidden' : 'possible'],
    ['seccomp', 'system calls', view.seccomp === 'off' ? 'not filtered' : 'filtered'],
    ['limits', 'open files', files ? `${files.soft} of ${files.hard}` : 'not to be seen'],
    ['oomScoreAdj', 'out-of-memory score', String(view.oomScoreAdj)],
  ];
}

function capabilityText({ capabilities: { effective } }: ProcessView, { capabilitiesLost, capabilitiesGained }: ProcessChange): ReactNode {
  const some = effective.length > 8 ? `${effective.length}` : effective.join(' ') || 'none';
  const lost = capabilitiesLost.length > 6 ? `${capabilitiesLost.length} of them` : capabilitiesLost.join(' ');
  return (
    <>
      {some}
      {capabilitiesLost.length > 0 ? <span className="birth-changed"> − lost {lost}</span> : null}
      {capabilitiesGained.length > 0 ? <span className="birth-changed"> + {capabilitiesGained.join(' ')}</span> : null}
    </>
  );
}

function kindOf(kind: string): { readonly letter: string; readonly color: string } {
  const names: Readonly<Record<string, NamespaceName>> = { mount: 'mnt', network: 'net' };
  const name = names[kind] ?? kind;
  return NAMESPACE_KINDS.find((each) => each.name === name) ?? { letter: '?', color: 'var(--ink-soft)' };
}

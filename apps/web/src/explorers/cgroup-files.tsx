/**
 * The control files behind a cgroup's numbers, as they were read, with their names in the other version.
 *
 * Knows: a sample's files. Does not know: gauges.
 */
'use client';
import type { CgroupRow, World } from '@slipway/journal';
import { cgroupLines, otherNames, shortPath, visible } from '@slipway/ui';
import { typeCommand } from '../state/lab.ts';

export function CgroupFiles({ row, world }: { readonly row: CgroupRow; readonly world: World }) {
  const fact = world.containers.find((entry) => entry.fact.id === row.sample.container)?.fact;
  const lines = cgroupLines(row.sample, fact?.cgroups);
  const { version } = row.sample;
  return (
    <section className="cg-files" aria-label={`Control files of ${visible(row.containerName ?? row.path)}`}>
      {lines.length === 0 ? <p>The sampler sent no file contents for this group.</p> : null}
      <ul className="lines">
        {lines.map(({ where, line }) => (
          <li key={where}>
            <button
              type="button"
              className="plain-link where"
              title="Type cat and this path into the terminal"
              onClick={() => typeCommand(`cat ${where}`)}
            >
              {visible(shortPath(where))}
            </button>
            <code className="line">{visible(line)}</code>
          </li>
        ))}
      </ul>
      <p className="cg-version">
        cgroup {version}. The same numbers: {(['memory', 'cpu', 'pids'] as const).map((name) => otherNames(name, version)).join('; ')}.
      </p>
    </section>
  );
}

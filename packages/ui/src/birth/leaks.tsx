/**
 * What leaks when a part of a birth is left out: what a probe found in the whole container and in the one without.
 *
 * Knows: answers side by side. Does not know: how they were measured.
 */
import type { LeakProbe } from '@slipway/contracts';
import { useEffect, useRef } from 'react';
import { visible } from '../base/format.ts';

export function LeakTable({ probes, without }: { readonly probes: readonly LeakProbe[]; readonly without: string }) {
  const leaks = probes.filter((probe) => probe.leaks);
  const box = useRef<HTMLElement>(null);
  // It comes below what was pressed, mostly out of sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another answer is another reason to look
  useEffect(() => {
    box.current?.scrollIntoView({ block: 'nearest' });
  }, [probes]);
  return (
    <section ref={box} className="birth-leaks" aria-label="What leaks">
      <h3>
        {leaks.length === 0
          ? `Without ${without} the probe sees no difference`
          : `Without ${without}: ${leaks.length} of ${probes.length} answers change`}
      </h3>
      <p className="explorer-hint">
        Measured from inside, by a probe run as the container’s program, once in the whole container and once in the one without.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable */}
      <section className="scroll" tabIndex={0} aria-label="Answers of the probe">
        <table className="data-table">
          <caption className="sr-only">Answers of the probe in both containers</caption>
          <thead>
            <tr>
              <th scope="col">asked inside</th>
              <th scope="col">whole</th>
              <th scope="col">without</th>
              <th scope="col">leaks</th>
            </tr>
          </thead>
          <tbody>
            {[...leaks, ...probes.filter((probe) => !probe.leaks)].map((probe) => (
              <tr key={probe.id} className={probe.leaks ? 'leaks' : ''}>
                <td>{probe.question}</td>
                <td>
                  <code>{visible(probe.whole) || 'nothing'}</code>
                </td>
                <td>
                  <code>{visible(probe.without) || 'nothing'}</code>
                </td>
                <td>{probe.leaks ? '⚠ yes' : 'no'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

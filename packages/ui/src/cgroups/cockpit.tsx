/**
 * The cockpit of one control group: dials for its limits, the command that a moved handle stands for, and every figure with its files.
 *
 * Knows: dials and signals. Does not know: the terminal; a command is offered, and only ever run there, in sight.
 */
import type { CgroupRow, CgroupSample } from '@slipway/journal';
import { useState } from 'react';
import { Button } from '../base/controls.tsx';
import { visible } from '../base/format.ts';
import { type Dial, dialsOf, limitCommand } from './cockpit-model.ts';
import { LimitDial } from './dial.tsx';
import { gaugesOf } from './model.ts';
import { cgroupTitle, shortPath } from './picture.tsx';
import { type Signal, type Source, signalsOf, sourceText } from './signals.ts';

export interface CgroupCockpitProps {
  readonly row: CgroupRow;
  /** The machine's own group. */
  readonly machine: CgroupSample | undefined;
  /** Where the container's groups are, by controller, as the machine sees them. */
  readonly directories: Readonly<Record<string, string>> | undefined;
  readonly onRun: (command: string) => void;
  readonly onType: (command: string) => void;
}

interface Wanted {
  readonly name: Dial['name'];
  readonly limit: number | undefined;
}

export function CgroupCockpit({ row, machine, directories, onRun, onType }: CgroupCockpitProps) {
  const [wanted, setWanted] = useState<Wanted>();
  const dials = dialsOf(row.sample, machine, directories);
  const gauges = gaugesOf(row);
  const moved = dials.find((dial) => dial.name === wanted?.name);
  // Once the kernel says so too, there is nothing left to want.
  const command = moved && wanted && moved.limit !== wanted.limit ? limitCommand(moved, wanted.limit) : undefined;
  return (
    <section className="cockpit" aria-label={`Limits and figures of ${cgroupTitle(row)}`}>
      <div className="dials">
        {dials.map((dial) => {
          const gauge = gauges.find((each) => each.name === dial.name);
          return gauge ? (
            <LimitDial
              key={dial.name}
              dial={dial}
              gauge={gauge}
              wanted={command !== undefined && wanted?.name === dial.name ? wanted : undefined}
              onMove={(limit) => setWanted({ name: dial.name, limit })}
            />
          ) : null;
        })}
      </div>
      <div className="proposal" role="status">
        {command === undefined ? (
          <p>Move a handle: the command that sets the limit appears here, and runs in your terminal when you say so.</p>
        ) : (
          <>
            <code title={command}>{visible(shortCommand(command))}</code>
            <Button tone="act" onClick={() => onRun(command)}>
              Run in terminal
            </Button>
            <Button tone="quiet" onClick={() => setWanted(undefined)}>
              Put back
            </Button>
          </>
        )}
      </div>
      <SignalTable row={row} directories={directories} onType={onType} />
    </section>
  );
}

function shortCommand(command: string): string {
  const [before = '', file = ''] = command.split(' > ');
  return `${before} > ${shortPath(file)}`;
}

function SignalTable({ row, directories = {}, onType }: Pick<CgroupCockpitProps, 'row' | 'directories' | 'onType'>) {
  const { version, path } = row.sample;
  const place = (signal: Signal, source: Source) => {
    const controller = source.file.split('.')[0] ?? '';
    const own = signal.live === 'v1' ? directories[controller] : directories['unified'];
    return `${own ?? `/sys/fs/cgroup${signal.live === 'v1' ? `/${controller}` : ''}${path === '/' ? '' : path}`}/${source.file}`;
  };
  return (
    <section className="signals scroll" aria-label="Figures and their files">
      <table className="data-table">
        <caption className="sr-only">Figures of this control group, with their files on cgroup v1 and v2; this host’s are live</caption>
        <thead>
          <tr>
            <th scope="col">figure</th>
            <th scope="col">now</th>
            {(['v1', 'v2'] as const).map((each) => (
              <th key={each} scope="col">
                cgroup {each} {each === version ? <em className="live-mark">this host</em> : null}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {signalsOf(row.sample).map((signal) => (
            <tr key={`${signal.group} ${signal.label}`} className={signal.alarming ? 'alarming' : ''}>
              <th scope="row">
                {signal.group} {signal.label}
              </th>
              <td className="num">
                {signal.value === undefined ? <span className="absent">not on this host</span> : visible(signal.value)}
              </td>
              {(['v1', 'v2'] as const).map((each) => (
                <FileCell
                  key={each}
                  source={signal[each]}
                  live={signal.live === each}
                  onType={() => onType(`cat ${place(signal, signal[each] ?? { file: '' })}`)}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function FileCell({ source, live, onType }: { readonly source: Source | undefined; readonly live: boolean; readonly onType: () => void }) {
  const text = sourceText(source);
  if (!live) return <td className="other">{text}</td>;
  return (
    <td className="live">
      <button type="button" className="plain-link" title="Type cat and this file into the terminal" onClick={onType}>
        {text}
      </button>
      <span className="sr-only"> (live)</span>
    </td>
  );
}

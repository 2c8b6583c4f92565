/**
 * A build as a graph: stages as boxes, their steps as rows, arrows from what is needed.
 *
 * Knows: the layout. Does not know: Dockerfiles.
 */
import type { BuildStage, BuildStep, BuildView } from '@slipway/journal';
import { useRef } from 'react';
import { type Choice, ChoiceList } from '../base/choice-list.tsx';
import { formatBytes, formatClock, formatCount, formatDuration, visible } from '../base/format.ts';
import { actorKind } from '../base/kinds.ts';
import { DataTable } from '../base/table.tsx';
import { useWidth } from '../base/use-width.ts';
import { HEAD_HEIGHT, layoutBuild, stepHeight, stepNote } from './build-layout.ts';

export interface BuildViewProps {
  readonly builds: readonly BuildView[];
  readonly chosen: BuildView;
  /** Journal time that clocks count from. */
  readonly zeroMs: number;
  readonly filter: string;
  readonly selectedSpan: string | undefined;
  readonly onChoose: (id: string) => void;
  readonly onSelect: (span: string) => void;
}

/** Never colour alone. */
const CACHE = {
  hit: { mark: '=', words: 'taken from the cache' },
  miss: { mark: '+', words: 'done' },
  none: { mark: '·', words: 'changes the configuration only' },
} as const;
const STATES = { waiting: 'waits', running: 'runs', done: '', failed: 'failed', 'left-out': 'not needed' } as const;

export function BuildPicture(props: BuildViewProps) {
  return (
    <div className="transfers">
      <BuildList {...props} />
      <div className="scroll build">
        <BuildHead {...props} />
        <Graph {...props} />
      </div>
    </div>
  );
}

function BuildList({ builds, chosen, zeroMs, onChoose }: BuildViewProps) {
  const toChoice = (build: BuildView): Choice => {
    const { id, error, endMs, durationMs, hits, misses, startMs } = build;
    const state = error ? 'failed' : endMs === undefined ? 'going on' : formatDuration(durationMs);
    return {
      id,
      name: titleOf(build),
      facts: `${state} · ${hits} of ${hits + misses} from the cache · at ${formatClock(startMs - zeroMs)}`,
      failed: error !== undefined,
      color: actorKind('store').color,
    };
  };
  return <ChoiceList label="Builds" all={builds} toChoice={toChoice} chosen={chosen.id} onChoose={onChoose} />;
}

function titleOf({ names }: BuildView): string {
  return names.length === 0 ? 'an image without a name' : names.map((name) => name.replace(/^docker\.io\/(?:library\/)?/, '')).join(', ');
}

function BuildHead({ chosen }: BuildViewProps) {
  const { error, hits, misses, durationMs, sizeBytes } = chosen;
  return (
    <header className="transfer-head">
      <h3>build {visible(titleOf(chosen))}</h3>
      <p>
        {error ? 'stopped after' : chosen.endMs === undefined ? 'going on for' : 'done in'}{' '}
        <span className="num">{formatDuration(durationMs)}</span> · {formatCount(hits, 'step')} from the cache, {misses} done · layers of{' '}
        {formatBytes(sizeBytes)}, compressed
      </p>
      {error ? (
        <p className="transfer-error">
          {error.line === undefined || /line \d/i.test(error.message) ? '' : `line ${error.line}: `}
          {visible(error.message)}
        </p>
      ) : null}
      <ul className="transfer-key" aria-label="What the marks mean">
        {Object.values(CACHE).map(({ mark, words }) => (
          <li key={mark}>
            <b aria-hidden="true">{mark}</b> {words}
          </li>
        ))}
      </ul>
    </header>
  );
}

function Graph(props: BuildViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const layout = layoutBuild(props.chosen, Math.max(width, 220));
  return (
    <div ref={box} className="build-box">
      {props.chosen.stages.length === 0 ? (
        <p className="explorer-hint">{props.chosen.error ? 'It came to no stage.' : 'The context is being read.'}</p>
      ) : null}
      {width === 0 ? null : (
        <div className="build-graph" style={{ width: layout.width, height: layout.height }}>
          <svg width={layout.width} height={layout.height} aria-hidden="true">
            {layout.edges.map(({ key, path, isLeftOut }) => (
              <path key={key} d={path} className={isLeftOut ? 'left-out' : ''} />
            ))}
          </svg>
          {layout.boxes.map(({ stage, x, y, width: boxWidth, height }) => (
            <section
              key={stage.stage}
              className={`build-stage ${stage.state} ${stage.isTarget ? 'target' : ''}`}
              aria-label={stageTitle(stage)}
              style={{ insetInlineStart: x, insetBlockStart: y, width: boxWidth, height }}
            >
              <StageHead stage={stage} />
              <ol>
                {stage.steps.map((step) => (
                  <Step key={step.span ?? `line ${step.line}`} step={step} {...props} />
                ))}
              </ol>
            </section>
          ))}
        </div>
      )}
    </div>
  );
}

function stageTitle({ name, stage, needs, from }: BuildStage): string {
  const after = needs.length === 0 ? '' : `, needs stage ${needs.join(' and ')}`;
  return `Stage ${stage}${name === undefined ? '' : ` ${visible(name)}`} from ${visible(from)}${after}`;
}

function StageHead({ stage }: { readonly stage: BuildStage }) {
  return (
    <header style={{ height: HEAD_HEIGHT }}>
      <strong>
        stage {stage.stage}
        {stage.name === undefined ? '' : ` · ${visible(stage.name)}`}
      </strong>
      <code>FROM {visible(stage.from)}</code>
      <span className="num">
        {stage.isTarget ? 'target · ' : ''}
        {STATES[stage.state]} {stage.durationMs === undefined ? '' : formatDuration(stage.durationMs)}
      </span>
    </header>
  );
}

function Step({ step, filter, selectedSpan, onSelect }: BuildViewProps & { readonly step: BuildStep }) {
  const { span, state, durationMs, sizeBytes } = step;
  const wanted = filter.trim().toLowerCase();
  const dim = wanted !== '' && !step.text.toLowerCase().includes(wanted);
  const note = stepNote(step);
  const { mark, words } = CACHE[cacheOf(step)];
  return (
    <li style={{ height: stepHeight(step) }}>
      <button
        type="button"
        className={`build-step ${state} ${cacheOf(step)} ${dim ? 'dim' : ''} ${span !== undefined && span === selectedSpan ? 'selected' : ''}`}
        aria-pressed={span !== undefined && span === selectedSpan}
        disabled={span === undefined}
        title={visible(note === undefined ? step.text : `${step.text}\n${note}`)}
        onClick={() => span !== undefined && onSelect(span)}
      >
        <span className="build-line num">
          <span className="sr-only">line </span>
          {step.line}
        </span>
        <b className="build-mark" aria-hidden="true">
          {state === 'failed' ? '✕' : state === 'running' ? '▸' : state === 'waiting' ? '' : mark}
        </b>
        <code>{visible(step.text)}</code>
        <span className="num build-facts">
          {[sizeBytes === undefined ? [] : formatBytes(sizeBytes), durationMs === undefined ? [] : formatDuration(durationMs)]
            .flat()
            .join(' · ')}
        </span>
        <span className="sr-only">{state === 'done' ? words : STATES[state]}</span>
        {note === undefined ? null : <span className={`build-note ${step.error ? 'bad' : ''}`}>{visible(note)}</span>}
      </button>
    </li>
  );
}

function cacheOf({ cached }: BuildStep): keyof typeof CACHE {
  return cached === undefined ? 'none' : cached ? 'hit' : 'miss';
}

export function BuildText(props: BuildViewProps) {
  const { chosen, filter, selectedSpan, onSelect } = props;
  const wanted = filter.trim().toLowerCase();
  const rows = chosen.stages.flatMap((stage) => stage.steps.map((step) => ({ stage, step })));
  return (
    <div className="transfers">
      <BuildList {...props} />
      <div className="transfer-text">
        <BuildHead {...props} />
        <DataTable
          caption={`Steps of build ${titleOf(chosen)}`}
          columns={['stage', 'needs', 'line', 'step', 'cache', 'time', 'size', 'why or what went wrong']}
          rows={rows
            .filter(({ step }) => step.text.toLowerCase().includes(wanted))
            .map(({ stage, step }) => ({
              key: `${stage.stage} ${step.span ?? step.line}`,
              selected: step.span !== undefined && step.span === selectedSpan,
              onSelect: () => step.span !== undefined && onSelect(step.span),
              cells: [
                `${stage.stage} ${visible(stage.name ?? '')}`,
                stage.needs.join(', '),
                String(step.line),
                visible(step.text),
                step.state === 'done' ? CACHE[cacheOf(step)].words : STATES[stage.state === 'left-out' ? 'left-out' : step.state],
                step.durationMs === undefined ? '—' : formatDuration(step.durationMs),
                step.sizeBytes === undefined ? '—' : formatBytes(step.sizeBytes),
                visible(stepNote(step) ?? ''),
              ],
            }))}
        />
      </div>
    </div>
  );
}

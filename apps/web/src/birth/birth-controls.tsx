/**
 * The stepper's controls: begin, step, go on, leave out, back, start, undo; and what they would do next, in words.
 *
 * Knows: which control makes sense when. Does not know: how a birth is drawn.
 */
'use client';
import { Button, visible } from '@slipway/ui';
import { objectText } from '@slipway/ui/birth';
import { orToast } from '../state/lab.ts';
import { useTerminals, useView } from '../state/stores.ts';
import type { BirthState, BirthStore } from './birth-store.ts';

export function BirthControls({ birth }: { readonly birth: BirthStore }) {
  const state = birth.use();
  const { view, busy } = state;
  const idle = busy === undefined;
  const stopped = idle && view?.status === 'stopped';
  const alive = view !== undefined && ['stopped', 'created', 'running'].includes(view.status);
  const selected = state.selected;
  return (
    <div className="birth-controls" role="toolbar" aria-label="Birth controls">
      <Button tone="act" icon="play" disabled={!idle || state.config === ''} onClick={() => void birth.begin()}>
        {view === undefined ? 'Begin' : 'Begin again'}
      </Button>
      <Button icon="step" disabled={!stopped} onClick={() => void birth.go('step')} title="Perform the next operation">
        Step
      </Button>
      <Button disabled={!stopped} onClick={() => void birth.go('continue')} title="To the next breakpoint, or the end">
        Continue
      </Button>
      <Button
        disabled={!stopped || selected === undefined || selected <= (view?.at ?? 0)}
        onClick={() => void birth.go('continue', selected ?? 0)}
        title="To the selected operation"
      >
        Run to selected
      </Button>
      <Button disabled={!stopped || !maySkip(state)} onClick={() => void birth.skip()} title="Go on without performing it">
        Leave out
      </Button>
      <Button
        icon="reset"
        disabled={!idle || view === undefined || view.at === 0}
        onClick={() => void birth.back()}
        title="Undo, and do again to the operation before"
      >
        Back
      </Button>
      <Button disabled={!idle || view?.status !== 'created'} onClick={() => void birth.start()} title="Let the program begin">
        Start
      </Button>
      <Button
        icon="terminal"
        disabled={!idle || !alive || (view?.process?.pid ?? 0) === 0}
        onClick={() => void orToast(openShell(birth))}
        title="A terminal in the half-born container"
      >
        Shell here
      </Button>
      <Button tone="danger" disabled={!idle || !alive} onClick={() => void birth.end()}>
        Undo
      </Button>
      <p className="birth-status" role="status">
        {busy === undefined
          ? statusText(state)
          : [busy, ...(state.awaited === undefined ? [] : [`then ${state.awaited}`])].join(', ').concat(' …')}
      </p>
    </div>
  );
}

async function openShell(birth: BirthStore): Promise<void> {
  const terminal = await birth.shell();
  useTerminals.setState({ active: terminal });
  if (matchMedia('(max-width: 760px)').matches) useView.setState({ sheet: 'terminal' });
}

/** Without these two there is nothing to go on with. */
function maySkip({ view, operations }: BirthState): boolean {
  const op = operations[view?.at ?? -1]?.op;
  return op !== undefined && op !== 'clone' && op !== 'exec';
}

function statusText({ view, operations, config, images, issues }: BirthState): string {
  if (view === undefined) {
    if (config === '') return images.length === 0 ? 'the machine has no image yet' : '';
    return issues.length > 0 ? 'the document cannot be performed' : `${operations.length} operations planned, none performed`;
  }
  const next = operations[view.at ?? -1];
  switch (view.status) {
    case 'stopped':
      return next ? `stopped before ${view.at}: ${next.op} ${visible(objectText(next))}` : 'stopped';
    case 'created':
      return 'created: everything is there, the program waits to be started';
    case 'running':
      return 'running';
    case 'ended':
      return `ended with ${view.exitCode ?? 0}`;
    case 'failed':
      return 'failed, and undone';
    case 'undone':
      return 'undone: nothing of it is left';
  }
}

/**
 * The three resets, clearly apart: the lesson's ticks, the shell in front, the whole machine. Each says what it did.
 *
 * Knows: which calls and stores each takes. Does not know: the buttons that ask for it.
 */
import { api } from '../state/api.ts';
import { resetLesson } from '../state/lesson-actions.ts';
import { toast, useSession, useTerminals } from '../state/stores.ts';
import { openTerminal } from '../terminal/terminal-pane.tsx';

export async function startLessonOver(): Promise<void> {
  await resetLesson();
  toast('The lesson starts over: its ticks, hints and answers are forgotten. Your machine is as it was.');
}

/** Every container, file and process of the machine goes; a second call while one is under way does nothing. */
export async function resetMachine(): Promise<void> {
  const { machine } = useSession.getState();
  if (machine?.state === 'resetting') return;
  if (machine) useSession.setState({ machine: { ...machine, state: 'resetting' } });
  toast('Your machine is thrown away and made anew …');
  try {
    useSession.setState({ machine: await api.resetMachine() });
  } catch (error) {
    if (machine) useSession.setState({ machine });
    throw error;
  }
  toast('A new machine is yours: containers, files and shells of the old one are gone; your ticks stay.');
}

export async function renewTerminal(): Promise<void> {
  const { active } = useTerminals.getState();
  await openTerminal();
  if (active !== undefined) await api.closeTerminal(active);
  useTerminals.setState(({ terminals }) => ({ terminals: terminals.filter((terminal) => terminal.id !== active) }));
  toast('A fresh shell; containers go on.');
}

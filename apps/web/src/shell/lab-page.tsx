/**
 * The whole page: which of its states is shown, and what makes it run.
 *
 * Knows: starting the lab, the two layouts, the dialogs. Does not know: what panes show.
 */
'use client';
import { Button, Skeleton } from '@slipway/ui';
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react';
import { connection, orToast, startLab } from '../state/lab.ts';
import { useLessonState, useSession, useView } from '../state/stores.ts';
import { followAddress } from './address-sync.ts';
import { DesktopLayout } from './desktop-layout.tsx';
import { Dialogs } from './dialogs.tsx';
import { PhoneLayout } from './phone-layout.tsx';
import { resetMachine } from './resets.ts';
import { listenForShortcuts } from './shortcuts.ts';
import { storedTheme } from './theme.ts';
import { Toast } from './toast.tsx';
import { TopBar } from './top-bar.tsx';

/** Loaded when it is first opened: an editor is large, and lessons do without. */
const EditorPage = lazy(async () => ({ default: (await import('../editor/editor-page.tsx')).EditorPage }));

const PHONE = '(max-width: 760px)';

export function LabPage() {
  const phase = useSession((state) => state.phase);
  useEffect(() => {
    useView.setState({ theme: storedTheme() });
    void startLab();
    const stop = listenForShortcuts();
    return () => {
      stop();
      connection.stop();
    };
  }, []);
  useEffect(() => (phase === 'ready' ? followAddress() : undefined), [phase]);
  usePageTitle();
  const phone = useSyncExternalStore(
    watchPhone,
    () => matchMedia(PHONE).matches,
    () => false,
  );

  if (phase === 'signed-out') return <SignedOut />;
  if (phase === 'unreachable') return <Unreachable />;
  return (
    <div className="lab">
      <TopBar phone={phone} />
      <MachineNotice />
      {phase === 'starting' ? <Starting /> : <Place phone={phone} />}
      <Dialogs />
      <Toast />
    </div>
  );
}

function Place({ phone }: { readonly phone: boolean }) {
  const place = useView((state) => state.place);
  if (place === 'config') {
    return (
      <Suspense fallback={<Skeleton rows={14} label="Opening the editor" />}>
        <EditorPage />
      </Suspense>
    );
  }
  return phone ? <PhoneLayout /> : <DesktopLayout />;
}

/** What the tab, the history and a bookmark are called. */
function usePageTitle(): void {
  const lesson = useLessonState((state) => state.document?.meta.title);
  const place = useView((state) => state.place);
  const title = place === 'config' ? 'config.json' : lesson;
  useEffect(() => {
    // Not a <title> of our own: the document has the framework's, and the first one counts.
    document.title = title === undefined ? 'Slipway' : `${title} · Slipway`;
  }, [title]);
}

function watchPhone(changed: () => void): () => void {
  const query = matchMedia(PHONE);
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}

/** A machine that cannot be used is said where nobody can miss it, with the way out. */
function MachineNotice() {
  const machine = useSession((state) => state.machine);
  if (machine?.state !== 'failed') return null;
  return (
    <div className="machine-notice" role="alert">
      <p>{machine.problem ?? 'Your machine is not usable.'}</p>
      <Button tone="act" icon="reset" onClick={() => void orToast(resetMachine())}>
        New machine
      </Button>
    </div>
  );
}

function Starting() {
  return (
    <main className="starting">
      <Skeleton rows={14} label="Opening your lab" />
      <Skeleton rows={10} label="Opening your lab" />
    </main>
  );
}

function SignedOut() {
  const problem = useSession((state) => state.problem);
  return (
    <main className="gate">
      <h1>Slipway</h1>
      <p className="gate-lead">This page is not signed in to a lab.</p>
      <p>
        In the folder where you installed Slipway, run <code>npm start</code> and open the address it prints. It ends in a code that works
        once; after that this browser stays signed in.
      </p>
      {problem ? <p className="problem">The code in the address was not taken: {problem}.</p> : null}
      <Button tone="act" onClick={() => void startLab()}>
        I did, try again
      </Button>
    </main>
  );
}

function Unreachable() {
  const problem = useSession((state) => state.problem);
  return (
    <main className="gate">
      <h1>Slipway</h1>
      <p className="gate-lead">The lab does not answer.</p>
      <p>
        Its server may have been stopped. Start it again with <code>npm start</code>; this page continues where you were.
      </p>
      {problem ? <p className="problem">{problem}</p> : null}
      <Button tone="act" onClick={() => void startLab()}>
        Try again
      </Button>
    </main>
  );
}

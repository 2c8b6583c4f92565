/**
 * The line on top: where you are, whether the line to the lab holds, what the machine uses, and the few things for the whole page.
 *
 * Knows: session, connection, the machine's own cgroup. Does not know: panes.
 */
'use client';
import { formatBytes, formatShare, Icon, IconButton, WithTip } from '@slipway/ui';
import { connection, orToast } from '../state/lab.ts';
import { type Theme, useLessonState, useMoment, useSession, useView } from '../state/stores.ts';
import { resetMachine } from './resets.ts';
import { setTheme } from './theme.ts';

export function TopBar({ phone }: { readonly phone: boolean }) {
  const meta = useLessonState((state) => state.document?.meta);
  return (
    <header className="top-bar">
      <span className="brand">
        <Mark /> Slipway
      </span>
      <button type="button" className="crumb" onClick={() => useView.setState({ dialog: 'lessons' })}>
        {meta ? (
          <>
            <span className="sr-only">All lessons; now</span> <span className="num">{Number(meta.number)}</span>{' '}
            <span className="crumb-title">{meta.title}</span>
          </>
        ) : (
          <span className="crumb-title">Lessons</span>
        )}
        <Icon name="chevron" size={12} />
      </button>
      <PlaceButton />
      <span className="spacer" />
      <ConnectionBadge />
      {phone ? null : <MachineMeter />}
      <ResetButtons />
      {phone ? null : (
        <IconButton icon="help" label="Keyboard shortcuts" keys="?" onClick={() => useView.setState({ dialog: 'shortcuts' })} />
      )}
      <ThemeButton />
    </header>
  );
}

/** A new machine takes one click; the menu beside it has all three resets. */
function ResetButtons() {
  const busy = useSession((state) => state.machine?.state === 'resetting' || state.machine?.state === 'creating');
  return (
    <span className="reset-buttons">
      <IconButton icon="reset" label="Reset the machine to new" disabled={busy} onClick={() => void orToast(resetMachine())} />
      <IconButton icon="chevron" label="Other resets" className="menu" onClick={() => useView.setState({ dialog: 'resets' })} />
    </span>
  );
}

/** To the config.json editor, and back. */
function PlaceButton() {
  const place = useView((state) => state.place);
  return (
    <button
      type="button"
      className="crumb place-button"
      aria-label="config.json"
      aria-pressed={place === 'config'}
      title="Edit and run a config.json (e)"
      onClick={() => useView.setState({ place: place === 'config' ? 'lab' : 'config' })}
    >
      <code>{'{ }'}</code> <span className="crumb-title">config.json</span>
    </button>
  );
}

function Mark() {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" className="brand-mark">
      <path d="M2 15h14M4.5 11.5h9M7 8h4" />
      <path d="M9 1.5v3.6" className="drop" />
    </svg>
  );
}

const CONNECTION = {
  idle: ['connecting', 'Opening the line to your lab.'],
  opening: ['connecting', 'Opening the line to your lab.'],
  greeting: ['connecting', 'The lab answered; catching up.'],
  live: ['live', 'Everything on this page is as of now.'],
  waiting: ['reconnecting', 'The line to your lab is down. Pictures stand still; what you type is kept and sent when it is back.'],
  'signed-out': ['signed out', 'Run npm start again and open the address it prints.'],
} as const;

function ConnectionBadge() {
  const { phase, attempt } = useSession((state) => state.connection);
  const [word, meaning] = attempt > 0 && phase !== 'live' && phase !== 'signed-out' ? CONNECTION.waiting : CONNECTION[phase];
  return (
    <span className="connection-box">
      <WithTip className={`connection ${word.replace(' ', '-')}`} label={`Connection: ${word}`} tip={meaning}>
        <i aria-hidden="true" /> {word}
      </WithTip>
      {phase === 'waiting' && attempt > 1 ? (
        <button type="button" className="plain-link" onClick={() => connection.retry()}>
          try now
        </button>
      ) : null}
      <span className="sr-only" role="status">
        {phase === 'live' ? '' : `Connection: ${word}`}
      </span>
    </span>
  );
}

function MachineMeter() {
  const machine = useSession((state) => state.machine);
  const sample = useMoment((state) => state.world.cgroups.find((entry) => entry.sample.path === '/')?.sample);
  if (!machine) return null;
  const parts: string[] = [];
  if (sample?.cpuFraction !== undefined) parts.push(`${formatShare(sample.cpuFraction)} cpu`);
  if (sample?.memoryBytes !== undefined) parts.push(formatBytes(sample.memoryBytes));
  const words = { creating: 'being made', ready: parts.join(' · ') || 'ready', resetting: 'being reset', failed: 'failed' } as const;
  return (
    <WithTip
      className={`machine-meter ${machine.state}`}
      label={`Your machine: ${words[machine.state]}`}
      tip={
        machine.problem ??
        `Your own lab machine: at most ${formatBytes(machine.memoryLimitBytes)}, ${machine.cpus} cpus, ${machine.pidsLimit} processes; isolation tier ${machine.tier}.`
      }
    >
      machine <span className="num">{words[machine.state]}</span>
    </WithTip>
  );
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const THEME_ICON = { system: 'half', light: 'sun', dark: 'moon' } as const;

function ThemeButton() {
  const theme = useView((state) => state.theme);
  return (
    <IconButton
      icon={THEME_ICON[theme]}
      label={`Theme: ${theme}. Change to ${NEXT_THEME[theme]}`}
      onClick={() => setTheme(NEXT_THEME[theme])}
    />
  );
}

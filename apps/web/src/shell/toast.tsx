/** A short message at the foot of the page; it leaves by itself and is said aloud by screen readers. */
'use client';
import { useEffect } from 'react';
import { clearView, useView } from '../state/stores.ts';

const STAYS_MS = { info: 3500, bad: 8000 } as const;

export function Toast() {
  const message = useView((state) => state.toast);
  useEffect(() => {
    if (!message) return;
    const timer = setTimeout(() => clearView('toast'), STAYS_MS[message.tone]);
    return () => clearTimeout(timer);
  }, [message]);
  return (
    <div className="toast-box" role="status" aria-live="polite">
      {message ? (
        <p key={message.key} className={`toast ${message.tone}`}>
          {message.text}
        </p>
      ) : null}
    </div>
  );
}

/**
 * Small controls used all over the page: buttons, a two-way switch, chips, a definition that pops up.
 *
 * Knows: how they look and how the keyboard reaches them. Does not know: what they do.
 */
import { type ButtonHTMLAttributes, type CSSProperties, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { Icon, type IconName } from './icons.tsx';

export type Tone = 'plain' | 'act' | 'quiet' | 'danger';

export function Button({
  tone = 'plain',
  icon,
  children,
  className = '',
  ...rest
}: { readonly tone?: Tone; readonly icon?: IconName } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" {...rest} className={`button ${tone} ${className}`}>
      {icon ? <Icon name={icon} /> : null}
      {children}
    </button>
  );
}

/** A button that shows only an icon; `label` is its name and its tip. */
export function IconButton({
  icon,
  label,
  keys,
  pressed,
  ...rest
}: { readonly icon: IconName; readonly label: string; readonly keys?: string; readonly pressed?: boolean } & Omit<
  ButtonHTMLAttributes<HTMLButtonElement>,
  'aria-label' | 'children'
>) {
  return (
    <button
      type="button"
      {...rest}
      className={`icon-button ${rest.className ?? ''}`}
      aria-label={label}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      title={keys ? `${label} (${keys})` : label}
    >
      <Icon name={icon} />
    </button>
  );
}

/** A few choices of which one holds. */
export function Switch<Value extends string>(props: {
  readonly label: string;
  readonly value: Value;
  readonly options: ReadonlyArray<{ readonly value: Value; readonly label: string; readonly icon?: IconName }>;
  readonly onChange: (value: Value) => void;
}) {
  const name = useId();
  return (
    <fieldset className="switch">
      <legend className="sr-only">{props.label}</legend>
      {props.options.map((option) => (
        <label key={option.value} className="switch-option" title={option.label}>
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={props.value === option.value}
            onChange={() => props.onChange(option.value)}
          />
          <span>
            {option.icon ? <Icon name={option.icon} size={14} /> : null}
            {option.label}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** A letter on its kind's colour; meaning is carried by both. */
export function KindMark({ letter, color, title }: { readonly letter: string; readonly color: string; readonly title: string }) {
  return (
    <span className="kind-mark" style={{ '--kind': color } as CSSProperties} title={title} aria-hidden="true">
      {letter}
    </span>
  );
}

/** Something whose explanation appears on hover and focus, goes with Escape, and stays inside of the window. */
export function WithTip({
  tip,
  children,
  className = '',
  label,
}: {
  readonly tip: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
  readonly label?: string;
}) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const box = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!open || !element) return;
    element.style.translate = '0 0';
    const { left, right, bottom } = element.getBoundingClientRect();
    const over = right - (window.innerWidth - 8);
    const shift = over > 0 ? -Math.min(over, left - 8) : Math.max(0, 8 - left);
    element.style.translate = `${shift}px 0`;
    element.dataset['side'] = bottom > window.innerHeight - 4 ? 'above' : 'below';
  }, [open]);
  useEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => event.key === 'Escape' && setOpen(false);
    window.addEventListener('keydown', close);
    return () => window.removeEventListener('keydown', close);
  }, [open]);

  return (
    <span className="with-tip">
      <button
        type="button"
        className={className}
        aria-describedby={open ? id : undefined}
        aria-label={label}
        onMouseEnter={() => setOpen(true)}
        onMouseLeave={() => setOpen(false)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onClick={() => setOpen(true)}
      >
        {children}
      </button>
      {open ? (
        <span role="tooltip" id={id} ref={box} className="tip">
          {tip}
        </span>
      ) : null}
    </span>
  );
}

/** Copies `text`; says so for a second. */
export function CopyButton({ text, label = 'Copy' }: { readonly text: string; readonly label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1200);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      icon={copied ? 'check' : 'copy'}
      label={copied ? 'Copied' : label}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => setCopied(true),
          () => setCopied(false),
        );
      }}
    />
  );
}

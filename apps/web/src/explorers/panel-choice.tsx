/**
 * Which explorer is shown: tabs where there is room, a menu where there is none.
 *
 * Knows: the groups of explorers and which one is chosen. Does not know: what they show.
 */
'use client';
import type { PanelName } from '@slipway/lessons/types';
import { Icon, PANEL_TITLES } from '@slipway/ui';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { PANEL_GROUPS, PANEL_ORDER, panelKey } from '../state/panel-groups.ts';
import { useView } from '../state/stores.ts';

/** Id of what the tabs are for. */
export const PANEL_ID = 'explorer-panel';

export function tabId(panel: PanelName): string {
  return `tab-${panel}`;
}

function show(panel: PanelName): void {
  useView.setState({ panel });
}

/** A row that scrolls where it is too long; its edges show that, and what is chosen is in sight. */
export function PanelTabs() {
  const panel = useView((state) => state.panel);
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = row.current;
    const tab = element?.querySelector<HTMLElement>(`#${tabId(panel)}`);
    if (!element || !tab) return;
    // Tells its size at once, and again when the row gets narrower: a container was selected, panes were moved.
    const observer = new ResizeObserver(() => bringIntoView(element, tab));
    observer.observe(element);
    return () => observer.disconnect();
  }, [panel]);
  return (
    <div role="tablist" aria-label="Explorers" ref={row} onKeyDown={moveByArrows}>
      {PANEL_GROUPS.map(({ title, panels }) => (
        <span key={title} className="tab-group" role="presentation">
          {panels.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={tabId(name)}
              aria-selected={panel === name}
              aria-controls={PANEL_ID}
              tabIndex={panel === name ? 0 : -1}
              title={`${PANEL_TITLES[name]} (${panelKey(name)})`}
              onClick={() => show(name)}
            >
              {PANEL_TITLES[name]}
            </button>
          ))}
        </span>
      ))}
    </div>
  );
}

/** Scrolls the row alone: `scrollIntoView` moves everything around it as well, where there is a pixel to give. */
function bringIntoView(row: HTMLElement, tab: HTMLElement): void {
  const toCentre = tab.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - tab.offsetWidth) / 2;
  row.scrollLeft += toCentre;
}

/** All of them with their groups, by the browser's own menu: on a phone that is a sheet, and no tab is out of sight. */
export function PanelMenu() {
  const panel = useView((state) => state.panel);
  return (
    <label className="panel-menu">
      <span className="sr-only">Explorer</span>
      <select value={panel} onChange={(event) => show(event.target.value as PanelName)}>
        {PANEL_GROUPS.map(({ title, panels }) => (
          <optgroup key={title} label={title}>
            {panels.map((name) => (
              <option key={name} value={name}>
                {PANEL_TITLES[name]}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      <Icon name="chevron" />
    </label>
  );
}

function moveByArrows(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
  const { panel } = useView.getState();
  const step = event.key === 'ArrowRight' ? 1 : PANEL_ORDER.length - 1;
  const next = PANEL_ORDER[(PANEL_ORDER.indexOf(panel) + step) % PANEL_ORDER.length] ?? 'processes';
  show(next);
  event.currentTarget.querySelector<HTMLElement>(`#${tabId(next)}`)?.focus();
  event.preventDefault();
}

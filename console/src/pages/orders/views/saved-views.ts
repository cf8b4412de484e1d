import { useSyncExternalStore } from 'react';

/** Searches that somebody keeps under a name, in this browser: each is what stands in the URL. */
export interface SavedView {
  name: string;
  q: string;
  cols?: string;
}

const KEY = 'conveyor.views';
export const MAX_VIEWS = 50;
export const MAX_NAME = 60;

/** What is stored as views; whatever else is there is left out. Pure. */
export function readViews(stored: string | null): SavedView[] {
  const found = parse(stored);
  if (!Array.isArray(found)) return [];
  return found
    .filter((one): one is SavedView => typeof one?.name === 'string' && typeof one.q === 'string')
    .map(({ name, q, cols }) => ({ name, q, ...(typeof cols === 'string' ? { cols } : {}) }))
    .slice(0, MAX_VIEWS);
}

function parse(stored: string | null): unknown {
  try {
    return JSON.parse(stored ?? '[]');
  } catch {
    return [];
  }
}

/** The views with this one, in place of one of the same name. Pure. */
export function withView(views: readonly SavedView[], view: SavedView): SavedView[] {
  return [...views.filter(({ name }) => name !== view.name), view].slice(-MAX_VIEWS);
}

/** The views with one under another name, in its place; one that had that name is gone. Pure. */
export function renamed(views: readonly SavedView[], from: string, to: string): SavedView[] {
  return views.filter(({ name }) => name === from || name !== to).map((view) => (view.name === from ? { ...view, name: to } : view));
}

const listeners = new Set<() => void>();
let read: { text: string | null; views: readonly SavedView[] } = { text: null, views: [] };

function current(): readonly SavedView[] {
  const text = localStorage.getItem(KEY);
  if (text !== read.text) read = { text, views: readViews(text) };
  return read.views;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

export function useSavedViews(): { views: readonly SavedView[]; change: (to: readonly SavedView[]) => void } {
  const views = useSyncExternalStore(subscribe, current);
  const change = (to: readonly SavedView[]): void => {
    localStorage.setItem(KEY, JSON.stringify(to));
    for (const listener of listeners) listener();
  };
  return { views, change };
}

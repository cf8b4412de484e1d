import { Modal, Table } from '@mantine/core';
import { type ReactNode, useEffect, useLayoutEffect, useState } from 'react';

/** One thing that the keyboard does; `keys` are pressed one after the other, as `g o`. */
export interface Shortcut {
  keys: string;
  does: string;
  run: () => void;
}

/** A sequence is forgotten after so long. */
const PATIENCE_MS = 1_000;
const registered = new Set<readonly Shortcut[]>();
let pressed: { keys: string; at: number } = { keys: '', at: 0 };

/** Makes shortcuts work while the component is shown. Keep the list stable (`useMemo`). */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  // Before the next key can come: a fast `j j` must not meet the keys of the row before.
  useLayoutEffect(() => {
    registered.add(shortcuts);
    return () => void registered.delete(shortcuts);
  }, [shortcuts]);
}

/** Listens for all of them; used once, by the shell. */
export function useShortcutKeys(): void {
  useEffect(() => {
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isInDialog(event.target)) return;
  const isFresh = event.timeStamp - pressed.at < PATIENCE_MS;
  const sequence = isFresh && pressed.keys !== '' ? `${pressed.keys} ${event.key}` : event.key;
  // The newest registered wins: a page's own keys come before the shell's.
  const all = [...registered].reverse().flat();
  const match = all.find(({ keys }) => keys === sequence) ?? all.find(({ keys }) => keys === event.key);
  pressed = { keys: match ? '' : event.key, at: event.timeStamp };
  if (!match) return;
  event.preventDefault();
  match.run();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function isInDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role="dialog"], [role="menu"], [role="listbox"]') !== null;
}

/** What the keyboard does on the page that is shown. */
export function ShortcutHelp({ onClose }: { onClose: () => void }): ReactNode {
  const [shown] = useState(() => [...registered].flat());
  return (
    <Modal opened onClose={onClose} title="Keyboard" centered>
      <Table>
        <Table.Tbody>
          {shown.map(({ keys, does }) => (
            <Table.Tr key={keys}>
              <Table.Td w={110}>
                {keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </Table.Td>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}

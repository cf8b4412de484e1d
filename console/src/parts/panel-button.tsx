import { Popover } from '@mantine/core';
import type { ReactElement, ReactNode } from 'react';
import { OnceDrawn } from './once-drawn.tsx';

interface PanelButtonProps {
  /** Says with `aria-expanded` whether the panel is open, and changes that when it is pressed. */
  button: ReactElement;
  /** Default: as wide as what is in it. */
  widthPx?: number;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** A button and the panel that hangs on it; the panel has the button's name. */
export function PanelButton({ button, widthPx, isOpen, onClose, children }: PanelButtonProps): ReactNode {
  return (
    <OnceDrawn until={button}>
      <Popover opened={isOpen} onChange={onClose} position="bottom-end" width={widthPx ?? 'max-content'} trapFocus returnFocus shadow="md">
        <Popover.Target>{button}</Popover.Target>
        <Popover.Dropdown p="xs">{children}</Popover.Dropdown>
      </Popover>
    </OnceDrawn>
  );
}

import { Menu } from '@mantine/core';
import { cloneElement, type ReactElement, type ReactNode, useState } from 'react';
import { OnceDrawn } from './once-drawn.tsx';

interface MenuButtonProps {
  button: ReactElement<{ onClick?: () => void }>;
  widthPx: number;
  /** The items. */
  children: ReactNode;
}

/** A button and the menu that hangs on it. */
export function MenuButton({ button, widthPx, children }: MenuButtonProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <OnceDrawn until={cloneElement(button, { onClick: () => setOpen(true) })}>
      <Menu position="bottom-end" width={widthPx} opened={isOpen} onChange={setOpen}>
        <Menu.Target>{button}</Menu.Target>
        <Menu.Dropdown>{children}</Menu.Dropdown>
      </Menu>
    </OnceDrawn>
  );
}

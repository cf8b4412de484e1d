import { Group, Stack, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import classes from './page.module.css';

interface PageProps {
  title: string;
  actions?: ReactNode;
  /** It ends with the window: what is last in it scrolls by itself. */
  isFitted?: boolean;
  children: ReactNode;
}

/** The frame of every page: its heading, what can be done there, its content; the title of the browser's tab too. */
export function Page({ title, actions, isFitted = false, children }: PageProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Conveyor`;
  }, [title]);
  return (
    <Stack gap="md" className={isFitted ? classes['fitted'] : undefined}>
      <Group justify="space-between" gap="xs" wrap="wrap">
        <Title order={1}>{title}</Title>
        {actions ? <Group gap="xs">{actions}</Group> : null}
      </Group>
      {children}
    </Stack>
  );
}

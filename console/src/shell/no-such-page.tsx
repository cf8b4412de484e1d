import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Page } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';

/** An address that leads nowhere: mistyped, or of a console of another version. */
export function NoSuchPage(): ReactNode {
  return (
    <Page title="No such page">
      <Empty
        title="Nothing is at this address"
        action={
          <Button component={Link} to="/" variant="default">
            To the overview
          </Button>
        }
      >
        <span className="mono foreign">{location.pathname}</span> is none of the pages of this console.
      </Empty>
    </Page>
  );
}

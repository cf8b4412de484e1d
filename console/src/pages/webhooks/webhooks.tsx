import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function Webhooks(): ReactNode {
  return (
    <Page title="Webhooks">
      <Loading what="webhooks" />
    </Page>
  );
}

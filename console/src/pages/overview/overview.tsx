import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function Overview(): ReactNode {
  return (
    <Page title="Overview">
      <Loading what="overview" />
    </Page>
  );
}

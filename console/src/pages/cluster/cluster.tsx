import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function Cluster(): ReactNode {
  return (
    <Page title="Cluster">
      <Loading what="cluster" />
    </Page>
  );
}

import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function Orders(): ReactNode {
  return (
    <Page title="Orders">
      <Loading what="orders" />
    </Page>
  );
}

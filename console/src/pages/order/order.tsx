import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function OrderPage(): ReactNode {
  return (
    <Page title="OrderPage">
      <Loading what="order" />
    </Page>
  );
}

import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function PlaceOrder(): ReactNode {
  return (
    <Page title="PlaceOrder">
      <Loading what="place" />
    </Page>
  );
}

import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function Generator(): ReactNode {
  return (
    <Page title="Generator">
      <Loading what="generator" />
    </Page>
  );
}

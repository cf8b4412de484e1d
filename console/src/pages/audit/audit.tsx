import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { Loading } from '../../parts/states.tsx';

export function Audit(): ReactNode {
  return (
    <Page title="Audit">
      <Loading what="audit" />
    </Page>
  );
}

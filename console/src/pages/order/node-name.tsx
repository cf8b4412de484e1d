import type { ReactNode } from 'react';
import { useNodes } from '../../api/nodes.ts';
import { shortId } from '../../format.ts';

/** A node by its name, as the cluster page calls it; one that is gone, and for a customer any, by its id. */
export function NodeName({ id }: { id: string }): ReactNode {
  const name = useNodes().find(({ node_id: one }) => one === id)?.name;
  return (
    <span className={name === undefined ? 'mono' : undefined} title={id}>
      {name ?? shortId(id)}
    </span>
  );
}

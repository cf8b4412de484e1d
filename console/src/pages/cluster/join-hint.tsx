import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ClusterJson } from '#gateway/api-cluster.ts';
import { Copy } from '../../parts/copy.tsx';
import classes from './cluster.module.css';
import { joinAddress } from './join-address.ts';

const FEW = 2;

/** How a node is added; shown while a warehouse would stand still if one node went. */
export function JoinHint({ warehouses }: { warehouses: ClusterJson['warehouses'] }): ReactNode {
  const few = warehouses.filter(({ nodes = FEW }) => nodes < FEW).map(({ name }) => name);
  if (few.length === 0) return null;
  const command = `npx conveyor node --join ${joinAddress(window.location)}`;
  return (
    <section className={`panel ${classes['join']}`} aria-labelledby="join">
      <Title order={2} id="join">
        Add a node
      </Title>
      <p>
        {few.join(', ')} {few.length === 1 ? 'has' : 'have'} one node or none: nobody would take over. On this machine or another:
      </p>
      <div className={classes['command']}>
        <code>{command}</code>
        <Copy text={command} label="Copy the command" />
      </div>
      <p className="faint">
        It serves the warehouse with the fewest slots; <code>--warehouse {few[0]}</code> chooses one. From another machine it needs a token:{' '}
        <code>CONVEYOR_JOIN_TOKEN</code>, made by <code>conveyor token create --role join</code>.
      </p>
    </section>
  );
}

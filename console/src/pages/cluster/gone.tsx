import { Table, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { NodeJson } from '#gateway/api-cluster.ts';
import { describeEnd } from '../../api/happenings.ts';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { Ago, Moment } from '../../parts/time.tsx';
import classes from './cluster.module.css';
import { useWanted } from './use-wanted.ts';

const COLUMNS = ['Node', 'Warehouse', 'What happened', 'When', 'Lived since', 'Session'];

/** Nodes that ended within the hour and did not come back. */
export function GoneNodes({ nodes, wantedNode }: { nodes: readonly NodeJson[]; wantedNode: string | undefined }): ReactNode {
  return (
    <section className={classes['gone']} aria-labelledby="gone">
      <Title order={2} id="gone">
        Gone within the hour
      </Title>
      <ScrollTable label="Nodes that are gone" columns={COLUMNS}>
        {nodes.map((node) => (
          <GoneNode key={`${node.warehouse} ${node.session}`} node={node} isWanted={node.node_id === wantedNode} />
        ))}
      </ScrollTable>
    </section>
  );
}

function GoneNode({ node, isWanted }: { node: NodeJson; isWanted: boolean }): ReactNode {
  const row = useWanted<HTMLTableRowElement>(isWanted);
  return (
    <Table.Tr
      ref={row}
      tabIndex={isWanted ? -1 : undefined}
      data-gone={node.node_id}
      data-wanted={isWanted || undefined}
      className={classes['goneRow']}
    >
      <Table.Th scope="row">
        <Link to="/ui/cluster" search={{ node: node.node_id }} className="foreign" title={node.node_id}>
          {node.name}
        </Link>
      </Table.Th>
      <Table.Td>{node.warehouse}</Table.Td>
      <Table.Td>{describeEnd(node.ended_reason)}</Table.Td>
      <Table.Td>
        <Ago at={node.ended_at ?? node.last_activity} />
      </Table.Td>
      <Table.Td>
        <Moment at={node.started_at} />
      </Table.Td>
      <Table.Td className="number">{node.session}</Table.Td>
    </Table.Tr>
  );
}

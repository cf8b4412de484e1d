import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { More, useFirst } from './more.tsx';
import { NodeName } from './node-name.tsx';
import classes from './order.module.css';
import { formatOffset, tookOf, whatOf } from './segment-words.ts';
import type { Shown } from './timeline.ts';

/** What the drawing shows, for who reads rather than looks. */
export function SegmentTable({ segments }: { segments: readonly Shown[] }): ReactNode {
  const { first, ...more } = useFirst(segments);
  const begin = segments[0]?.from ?? 0;
  return (
    <details className={classes['details']}>
      <summary>The timeline as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className={classes['scroll']} tabIndex={0} aria-label="Timeline as a table">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Step</Table.Th>
              <Table.Th scope="col">What</Table.Th>
              <Table.Th scope="col">Attempt</Table.Th>
              <Table.Th scope="col">From</Table.Th>
              <Table.Th scope="col">For</Table.Th>
              <Table.Th scope="col">Node</Table.Th>
              <Table.Th scope="col">Error</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {first.map((segment) => (
              <Table.Tr key={`${segment.version} ${segment.kind}`}>
                <Table.Th scope="row">{segment.step}</Table.Th>
                <Table.Td>{whatOf(segment)}</Table.Td>
                <Table.Td className="number">{segment.attempt}</Table.Td>
                <Table.Td className="number">{formatOffset(segment.from - begin)}</Table.Td>
                <Table.Td className="number">{tookOf(segment)}</Table.Td>
                <Table.Td>{segment.nodeId ? <NodeName id={segment.nodeId} /> : null}</Table.Td>
                <Table.Td className="foreign">{segment.error}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <More {...more} />
    </details>
  );
}

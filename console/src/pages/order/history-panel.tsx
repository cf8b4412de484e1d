import { Group, SegmentedControl, Table, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { EventJson } from '#gateway/api.ts';
import { formatJson } from '../../format.ts';
import { Moment } from '../../parts/time.tsx';
import { tellEvent, titleOf } from './event-words.ts';
import { More, useFirst } from './more.tsx';
import { NodeName } from './node-name.tsx';
import classes from './order.module.css';
import { formatOffset } from './segment-words.ts';

/** Everything that ever happened to the order. */
export function HistoryPanel({ events }: { events: readonly EventJson[] }): ReactNode {
  const { sort } = useSearch({ from: '/ui/orders/$id' });
  const navigate = useNavigate({ from: '/ui/orders/$id' });
  const isNewestFirst = sort === 'newest';
  const { first, ...more } = useFirst(isNewestFirst ? events.toReversed() : events);
  return (
    <section className={`panel ${classes['panel']}`} aria-labelledby="history">
      <Group justify="space-between" gap="xs" mb={4}>
        <Title order={2} id="history">
          History
        </Title>
        <SegmentedControl
          size="xs"
          aria-label="Which events come first"
          value={isNewestFirst ? 'newest' : 'oldest'}
          data={[
            { value: 'oldest', label: 'Oldest first' },
            { value: 'newest', label: 'Newest first' },
          ]}
          onChange={(value) =>
            void navigate({ search: (search) => ({ ...search, sort: value === 'newest' ? 'newest' : undefined }), replace: true })
          }
        />
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className={classes['scroll']} tabIndex={0} aria-label="Events">
        <Table className={classes['history']}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col" ta="right">
                #
              </Table.Th>
              <Table.Th scope="col">Time</Table.Th>
              <Table.Th scope="col" ta="right">
                After
              </Table.Th>
              <Table.Th scope="col">Event</Table.Th>
              <Table.Th scope="col">Step</Table.Th>
              <Table.Th scope="col">Node</Table.Th>
              <Table.Th scope="col">What it tells</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {first.map((event) => (
              <EventRow key={event.version} event={event} begin={Date.parse(events[0]?.at ?? event.at)} />
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <More {...more} />
    </section>
  );
}

function EventRow({ event, begin }: { event: EventJson; begin: number }): ReactNode {
  const { version, kind, at, step_name: step, direction, node_id: node, data } = event;
  const tells = tellEvent(event);
  return (
    <Table.Tr>
      <Table.Td ta="right" className="number">
        {version}
      </Table.Td>
      <Table.Td>
        <Moment at={at} />
      </Table.Td>
      <Table.Td ta="right" className="number faint">
        {formatOffset(Date.parse(at) - begin)}
      </Table.Td>
      <Table.Th scope="row" fw={500} title={kind}>
        {titleOf(kind)}
      </Table.Th>
      <Table.Td>
        {step}
        {direction === 'rollback' ? <span className="faint"> (undo)</span> : null}
      </Table.Td>
      <Table.Td>{node ? <NodeName id={node} /> : null}</Table.Td>
      <Table.Td className={classes['tells']}>
        <div className={classes['told']}>
          {tells === '' ? null : <span className="foreign">{tells}</span>}
          {data === undefined || data === null ? null : <Data data={data} version={version} />}
        </div>
      </Table.Td>
    </Table.Tr>
  );
}

function Data({ data, version }: { data: unknown; version: number }): ReactNode {
  return (
    <details className={classes['details']}>
      <summary aria-label={`Data of event ${version}`}>Data</summary>
      <pre className={`foreign mono ${classes['text']}`}>{formatJson(data)}</pre>
    </details>
  );
}

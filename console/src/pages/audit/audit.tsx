import { Stack, Table, Text, TextInput } from '@mantine/core';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { memo, type ReactNode, useState } from 'react';
import type { AuditPageJson } from '#gateway/api-cluster.ts';
import { get } from '../../api/client.ts';
import { useNewest } from '../../api/newest.ts';
import type { NewestPage } from '../../api/newest-merge.ts';
import { useIsOperator } from '../../api/session.ts';
import { formatCount, formatJson } from '../../format.ts';
import { NewestList } from '../../parts/newest-list.tsx';
import { OrderLink } from '../../parts/order-link.tsx';
import { Page } from '../../parts/page.tsx';
import { ScrollTable } from '../../parts/scroll-table.tsx';
import { Empty } from '../../parts/states.tsx';
import { Moment } from '../../parts/time.tsx';
import classes from './audit.module.css';
import { type AuditEntry, hasWords, madeOrder, targetOf, tellDeed } from './entries.ts';

const PAGE = 50;
const LOOK_EVERY_MS = 5_000;
const KEY = ['audit'];
const COLUMNS = ['When', 'Who', 'Did what', 'To what', 'Why', 'Warehouse', 'Detail'];

/** Who did what by hand, and why. */
export function Audit(): ReactNode {
  const isOperator = useIsOperator();
  return (
    <Page title="Audit">
      <Text className="faint">Every intervention by hand, newest first: who did what to what, when, and why.</Text>
      {isOperator ? <Entries /> : <Empty title="For operators">What was done to your own orders is in their history.</Empty>}
    </Page>
  );
}

async function readEntries(cursor: string | undefined, signal?: AbortSignal): Promise<NewestPage<AuditEntry>> {
  return get<AuditPageJson>('/audit', { query: { limit: PAGE, cursor }, ...(signal ? { signal } : {}) });
}

function Entries(): ReactNode {
  const list = useNewest({ key: KEY, read: readEntries, everyMs: LOOK_EVERY_MS });
  const { q: words = '' } = useSearch({ from: '/ui/audit' });
  const loaded = list.entries ?? [];
  const shown = words.trim() === '' ? loaded : loaded.filter((entry) => hasWords(entry, words.trim()));
  return (
    <Stack gap="sm">
      <Filter words={words} found={shown.length} of={loaded.length} />
      <NewestList
        list={list}
        what="entries"
        empty={
          <Empty title="Nothing was done by hand yet">As soon as somebody cancels, drains, disables or the like, it stands here.</Empty>
        }
      >
        {shown.length === 0 ? (
          <Text role="status">None of those that are loaded has these words.</Text>
        ) : (
          <ScrollTable label="Interventions" columns={COLUMNS}>
            {shown.map((entry) => (
              <EntryRow key={entry.id} entry={entry} />
            ))}
          </ScrollTable>
        )}
      </NewestList>
    </Stack>
  );
}

function Filter({ words, found, of }: { words: string; found: number; of: number }): ReactNode {
  const navigate = useNavigate();
  const [text, setText] = useState(words);
  return (
    <TextInput
      label="Find in what is loaded"
      description={words.trim() === '' ? 'A name, an action, an id, a reason' : `${formatCount(found)} of ${formatCount(of)} loaded`}
      data-search
      className={classes['filter']}
      value={text}
      autoComplete="off"
      onChange={(event) => {
        const { value } = event.currentTarget;
        setText(value);
        void navigate({ to: '/ui/audit', search: { q: value }, replace: true, resetScroll: false });
      }}
    />
  );
}

const EntryRow = memo(function EntryRow({ entry }: { entry: AuditEntry }): ReactNode {
  const { at, actor, action, reason, warehouse, detail } = entry;
  return (
    <Table.Tr>
      <Table.Td className={classes['time']}>
        <Moment at={at} />
      </Table.Td>
      <Table.Td className={`foreign ${classes['who']}`}>{actor}</Table.Td>
      <Table.Td className={classes['deed']} title={action}>
        {tellDeed(action)}
      </Table.Td>
      <Table.Td className={classes['target']}>
        <TargetOf entry={entry} />
      </Table.Td>
      <Table.Td className={`foreign ${classes['why']}`}>{reason ?? ''}</Table.Td>
      <Table.Td>{warehouse}</Table.Td>
      <Table.Td>{detail === undefined ? '' : <Detail detail={detail} />}</Table.Td>
    </Table.Tr>
  );
});

function TargetOf({ entry }: { entry: AuditEntry }): ReactNode {
  const target = targetOf(entry);
  const made = madeOrder(entry);
  switch (target.kind) {
    case 'order':
      return (
        <>
          <OrderLink id={target.id} />
          {made ? (
            <>
              {' as '}
              <OrderLink id={made} />
            </>
          ) : null}
        </>
      );
    case 'node':
      return (
        <Link to="/ui/cluster" search={{ node: target.id }} className="mono" title={target.id}>
          {target.id}
        </Link>
      );
    case 'cluster':
      return (
        <Link to="/ui/cluster" className="foreign">
          {target.text}
        </Link>
      );
    case 'generator':
      return <Link to="/ui/generator">{target.text || 'generator'}</Link>;
    default:
      return <span className="foreign">{target.text}</span>;
  }
}

function Detail({ detail }: { detail: unknown }): ReactNode {
  return (
    <details className={classes['detail']}>
      <summary>Show</summary>
      <pre className="mono foreign">{formatJson(detail)}</pre>
    </details>
  );
}

import { Button, Menu, Modal, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Failure } from '../../../parts/states.tsx';
import type { ParsedQuery } from '../query/query.ts';
import classes from './bulk.module.css';
import { type BulkAction, type BulkJson, bulkQuery, VERBS, whyNot } from './bulk.ts';
import { BulkDialog } from './bulk-dialog.tsx';
import { BulkProgress } from './bulk-progress.tsx';

/** What can be done with all orders that match, and what is being done. */
export function BulkMenu({
  parsed: { query, faults },
  onStarted,
}: {
  parsed: ParsedQuery;
  onStarted: (operation: BulkJson) => void;
}): ReactNode {
  const [action, setAction] = useState<BulkAction>();
  const [isListOpen, list] = useDisclosure();
  const close = (): void => setAction(undefined);
  return (
    <>
      <Menu position="bottom-end" width={330}>
        <Menu.Target>
          <Button variant="default">All that match …</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {(['cancel', 'retry'] as const).map((one) => {
            const why = faults.length > 0 ? 'The search is not understood' : whyNot(one, query);
            return (
              <Menu.Item key={one} disabled={why !== undefined} onClick={() => setAction(one)}>
                {VERBS[one].verb} all that match …{why ? <div className={classes['why']}>{why}.</div> : null}
              </Menu.Item>
            );
          })}
          <Menu.Divider />
          <Menu.Item onClick={list.open}>What was done to many orders</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {action ? (
        <BulkDialog
          action={action}
          query={query}
          onClose={close}
          onStarted={(operation) => {
            close();
            onStarted(operation);
          }}
        />
      ) : null}
      {isListOpen ? <BulkList onClose={list.close} /> : null}
    </>
  );
}

function BulkList({ onClose }: { onClose: () => void }): ReactNode {
  const { data, error, refetch } = useQuery(bulkQuery);
  const operations = data?.operations ?? [];
  return (
    <Modal opened onClose={onClose} title="What was done to many orders" size="xl">
      <Stack gap="md">
        {error ? <Failure error={error} onRetry={() => void refetch()} /> : null}
        {data && operations.length === 0 ? (
          <p>Nothing yet. “Cancel all that match” and “Retry all that match” are listed here, and how far they are.</p>
        ) : null}
        {operations.map((operation) => (
          <BulkProgress key={operation.bulk_id} operation={operation} />
        ))}
      </Stack>
    </Modal>
  );
}

/** What runs just now, whoever began it, and what was begun here, until it is put away. */
export function BulkStrip({ begun, onClose }: { begun: readonly BulkJson[]; onClose: () => void }): ReactNode {
  const { data } = useQuery(bulkQuery);
  const running = (data?.operations ?? []).filter(
    ({ state, bulk_id: id }) => state === 'running' && begun.every((one) => one.bulk_id !== id),
  );
  const shown = [...begun, ...running];
  if (shown.length === 0) return null;
  return (
    <div className={`panel ${classes['strip']}`}>
      {shown.map((operation) => (
        <BulkProgress key={operation.bulk_id} operation={operation} />
      ))}
      {begun.length > 0 ? (
        <div>
          <Button variant="default" size="compact-xs" onClick={onClose}>
            Put away
          </Button>
        </div>
      ) : null}
    </div>
  );
}

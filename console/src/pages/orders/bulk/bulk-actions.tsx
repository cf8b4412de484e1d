import { Button, Modal, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useState } from 'react';
import type { BulkViewJson } from '#gateway/api-bulk.ts';
import { PanelButton } from '../../../parts/panel-button.tsx';
import { Failure } from '../../../parts/states.tsx';
import type { ParsedQuery } from '../query/query.ts';
import classes from './bulk.module.css';
import { type BulkAction, bulkQuery, VERBS, whyNot } from './bulk.ts';
import { BulkDialog } from './bulk-dialog.tsx';
import { BulkProgress } from './bulk-progress.tsx';

/** What can be done with all orders that match, and what was done. */
export function BulkMenu({ parsed, onStarted }: { parsed: ParsedQuery; onStarted: (operation: BulkViewJson) => void }): ReactNode {
  const [isOpen, { toggle, close }] = useDisclosure();
  const [shown, setShown] = useState<BulkAction | 'list'>();
  const show = (what: BulkAction | 'list'): void => {
    close();
    setShown(what);
  };
  const leave = (): void => setShown(undefined);
  const button = (
    <Button variant="default" onClick={toggle} aria-expanded={isOpen}>
      All that match …
    </Button>
  );
  return (
    <>
      <PanelButton button={button} widthPx={300} isOpen={isOpen} onClose={close}>
        <Stack gap={8}>
          {(['cancel', 'retry'] as const).map((action) => (
            <Choice key={action} action={action} parsed={parsed} onChoose={show} />
          ))}
          <Button variant="default" fullWidth onClick={() => show('list')}>
            Recent bulk operations
          </Button>
        </Stack>
      </PanelButton>
      {shown === 'cancel' || shown === 'retry' ? (
        <BulkDialog action={shown} query={parsed.query} onClose={leave} onStarted={onStarted} />
      ) : null}
      {shown === 'list' ? <BulkList onClose={leave} /> : null}
    </>
  );
}

interface ChoiceProps {
  action: BulkAction;
  parsed: ParsedQuery;
  onChoose: (action: BulkAction) => void;
}

function Choice({ action, parsed: { query, faults }, onChoose }: ChoiceProps): ReactNode {
  const id = useId();
  const why = faults.length > 0 ? 'The search is not understood' : whyNot(action, query);
  return (
    <div>
      <Button variant="default" fullWidth disabled={why !== undefined} aria-describedby={id} onClick={() => onChoose(action)}>
        {VERBS[action].verb} all that match …
      </Button>
      <div id={id} className={classes['why']}>
        {why === undefined ? null : `${why}.`}
      </div>
    </div>
  );
}

function BulkList({ onClose }: { onClose: () => void }): ReactNode {
  const { data, error, refetch } = useQuery(bulkQuery);
  const operations = data?.operations ?? [];
  return (
    <Modal opened onClose={onClose} title="Recent bulk operations" size="xl">
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

interface BulkStripProps {
  begun: readonly BulkViewJson[];
  onPutAway: (operation: BulkViewJson) => void;
}

/** What runs just now, whoever began it, and what was begun here, until it is put away. */
export function BulkStrip({ begun, onPutAway }: BulkStripProps): ReactNode {
  const { data } = useQuery(bulkQuery);
  const running = (data?.operations ?? []).filter(
    ({ state, bulk_id: id }) => state === 'running' && begun.every((one) => one.bulk_id !== id),
  );
  const shown = [...begun, ...running];
  if (shown.length === 0) return null;
  return (
    <div className={`panel ${classes['strip']}`}>
      {shown.map((operation) => (
        <BulkProgress key={operation.bulk_id} operation={operation}>
          {begun.includes(operation) ? (
            <Button variant="default" size="compact-xs" onClick={() => onPutAway(operation)}>
              Put away
            </Button>
          ) : null}
        </BulkProgress>
      ))}
    </div>
  );
}

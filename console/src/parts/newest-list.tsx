import { Button, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { useNewest } from '../api/newest.ts';
import { formatCount } from '../format.ts';
import { Failure, Loading } from './states.tsx';

interface NewestListProps {
  list: ReturnType<typeof useNewest>;
  /** For sentences: `deliveries`. */
  what: string;
  /** Instead of the list when there is nothing. */
  empty: ReactNode;
  children: ReactNode;
}

/** What is around a list that grows at its top: its states, how much is shown, the way to older entries. */
export function NewestList({ list, what, empty, children }: NewestListProps): ReactNode {
  const { entries, error, retry, missing } = list;
  if (!entries) return error ? <Failure error={error} onRetry={retry} /> : <Loading what={what} />;
  return (
    <Stack gap="xs">
      {error ? <Failure error={error} onRetry={retry} /> : null}
      {missing.length > 0 ? (
        <Text role="status">
          {missing.join(', ')} {missing.length === 1 ? 'does' : 'do'} not answer: what happened there is missing here.
        </Text>
      ) : null}
      {entries.length === 0 ? empty : <div ref={list.holdRef}>{children}</div>}
      {entries.length === 0 ? null : <Foot list={list} what={what} />}
    </Stack>
  );
}

function Foot({ list, what }: Pick<NewestListProps, 'list' | 'what'>): ReactNode {
  const { entries, newerCount, showNewer, loadOlder, isLoadingOlder, olderError, isFull, restart } = list;
  return (
    <Group gap="sm" mih={30}>
      {isFull ? (
        <>
          <Text className="faint">So many are shown that the list does not renew itself any more.</Text>
          <Button variant="default" onClick={restart}>
            Back to the newest
          </Button>
        </>
      ) : null}
      {loadOlder && !isFull ? (
        <Button variant="default" onClick={loadOlder} loading={isLoadingOlder}>
          Older
        </Button>
      ) : null}
      <Text className="faint number" role="status">
        {formatCount(entries?.length ?? 0)} {what} shown
        {loadOlder ? '' : ', all there are'}
      </Text>
      {newerCount > 0 ? (
        <Button variant="default" onClick={showNewer}>
          {formatCount(newerCount)} newer
        </Button>
      ) : null}
      {olderError ? <Failure error={olderError} /> : null}
    </Group>
  );
}

import { Button, Group, Modal, Stack, Text, Title } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import classes from '../generator.module.css';
import { abortRun, stopRun, useStress } from './current-run.ts';
import { StressFigures } from './stress-figures.tsx';
import { StressForm } from './stress-form.tsx';

/** Many orders at once, placed from this page, each followed to its end. */
export function Stress(): ReactNode {
  const run = useStress();
  const isUnderWay = run !== undefined && run.phase !== 'done';
  return (
    <section className={`panel ${classes['panel']}`} aria-labelledby="generator-stress">
      <Stack gap="sm">
        <Title order={2} id="generator-stress">
          Stress run
        </Title>
        <Text className="faint">
          Places many orders from this page and follows each to its end. A browser has six connections to one address, one of them for the
          live events: for more at once there is <code>conveyor simulate</code>.
        </Text>
        <StressForm isUnderWay={isUnderWay} />
        {isUnderWay ? (
          <Group gap="sm">
            <Button variant="default" onClick={abortRun} disabled={run.phase !== 'submitting' || run.isAborted}>
              Abort: place no more
            </Button>
            <Button variant="default" onClick={stopRun} disabled={run.phase === 'submitting' && !run.isAborted}>
              Stop following
            </Button>
          </Group>
        ) : null}
        {run ? <StressFigures run={run} /> : null}
      </Stack>
      <AskBeforeLeaving isUnderWay={isUnderWay} />
    </section>
  );
}

/** The run is in this page: without it nobody places the rest or sees the ends. */
function AskBeforeLeaving({ isUnderWay }: { isUnderWay: boolean }): ReactNode {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => isUnderWay && current.pathname !== next.pathname,
    enableBeforeUnload: isUnderWay,
    withResolver: true,
  });
  const leave = (): void => {
    stopRun();
    proceed?.();
  };
  return (
    <Modal opened={status === 'blocked'} onClose={() => reset?.()} title="A stress run is under way" centered>
      <Stack gap="sm">
        <Text>Leaving ends it: no further order is placed, and those under way are followed no more. They go on in the cluster.</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => reset?.()} data-autofocus>
            Stay
          </Button>
          <Button onClick={leave}>End the run and leave</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

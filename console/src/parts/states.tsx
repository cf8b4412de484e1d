import { Alert, Button, Center, Group, Loader, Stack, Text, Title } from '@mantine/core';
import IconAlertTriangle from '@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs';
import type { ReactNode } from 'react';
import { ApiFailure } from '../api/client.ts';

/** While the first content of a page or panel is on its way. */
export function Loading({ what }: { what: string }): ReactNode {
  return (
    <Center p="xl" role="status" aria-live="polite">
      <Group gap="xs">
        <Loader size="xs" />
        <Text className="faint">Loading {what} …</Text>
      </Group>
    </Center>
  );
}

/** Nothing to show, and what to do about it. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }): ReactNode {
  return (
    <Stack align="center" gap={6} p="xl">
      <Title order={2}>{title}</Title>
      {children ? (
        <Text className="faint" ta="center" maw={520}>
          {children}
        </Text>
      ) : null}
      {action}
    </Stack>
  );
}

/** What went wrong, what was found, what to do; with a way to try again where that can help. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }): ReactNode {
  const { title, detail, advice, errors } = describe(error);
  return (
    <Alert color="red" variant="outline" icon={<IconAlertTriangle size={18} aria-hidden />} title={title} role="alert">
      <Stack gap={6} align="flex-start">
        <Text className="foreign">{detail}</Text>
        {errors?.map(({ field, reason }) => (
          <Text key={field + reason} className="foreign mono">
            {field} {reason}
          </Text>
        ))}
        {advice ? <Text className="faint">{advice}</Text> : null}
        {onRetry ? (
          <Button variant="default" onClick={onRetry}>
            Try again
          </Button>
        ) : null}
      </Stack>
    </Alert>
  );
}

export function PageFailure({ error, reset }: { error: unknown; reset?: () => void }): ReactNode {
  return (
    <Center p="xl">
      <Failure error={error} onRetry={reset} />
    </Center>
  );
}

interface Description {
  title: string;
  detail: string;
  advice?: string;
  errors?: { field: string; reason: string }[] | undefined;
}

function describe(error: unknown): Description {
  if (error instanceof ApiFailure) return error.problem;
  return {
    title: 'The console stumbled',
    detail: error instanceof Error ? error.message : String(error),
    advice: 'Load the page again. If it happens again, this is a defect of the console.',
  };
}

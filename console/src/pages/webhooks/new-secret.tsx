import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { WebhookJson } from '#gateway/api-webhooks.ts';
import { Copy } from '../../parts/copy.tsx';
import classes from './webhooks.module.css';

/** The secret of a webhook that was just made: it is shown here once and never again, so nothing but its button closes this. */
export function NewSecret({ webhook, onClose }: { webhook: WebhookJson | undefined; onClose: () => void }): ReactNode {
  const secret = webhook?.secret ?? '';
  return (
    <Modal
      opened={webhook !== undefined}
      onClose={onClose}
      title="The webhook’s secret"
      centered
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack gap="sm">
        <Text>
          Every delivery is signed with it: check the header <code>webhook-signature</code> as Standard Webhooks says. It is not shown
          again; whoever needs another makes a new webhook and deletes this one.
        </Text>
        <Group gap="xs" wrap="nowrap" className={`panel ${classes['secret']}`}>
          <code className="mono foreign">{secret}</code>
          <Copy text={secret} label="Copy the secret" />
        </Group>
        <Group justify="flex-end">
          <Button onClick={onClose}>I have kept it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

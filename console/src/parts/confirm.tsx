import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Failure } from './states.tsx';

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** The verb of the button: `Drain`, `Cancel the order`. */
  verb: string;
  isDangerous?: boolean;
  /** There is nothing to do, or it is not known yet. */
  isIdle?: boolean;
  /** For what has no entry in the audit. */
  isWithoutReason?: boolean;
  size?: 'lg';
  /** Does it; what it throws is shown, and the dialog stays. */
  onConfirm: (reason: string | undefined) => Promise<unknown>;
}

/** Asks before something is done by hand, and why; the reason goes into the audit. */
export function Confirm(props: ConfirmProps): ReactNode {
  const { opened, onClose, title, children, verb, isDangerous, isIdle, isWithoutReason, size, onConfirm } = props;
  const [reason, setReason] = useState('');
  const action = useMutation({
    mutationFn: () => onConfirm(reason.trim() === '' ? undefined : reason.trim()),
    onSuccess: () => close(),
  });
  const close = (): void => {
    setReason('');
    action.reset();
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} title={title} size={size} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          action.mutate();
        }}
      >
        <Stack gap="sm">
          <div>{children}</div>
          {isWithoutReason ? null : (
            <TextInput
              label="Reason"
              description="Kept in the audit, with your name"
              value={reason}
              maxLength={500}
              onChange={(event) => setReason(event.currentTarget.value)}
              data-autofocus
            />
          )}
          {action.error ? <Failure error={action.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Not now
            </Button>
            <Button type="submit" color={isDangerous ? 'red.9' : undefined} loading={action.isPending} disabled={isIdle}>
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

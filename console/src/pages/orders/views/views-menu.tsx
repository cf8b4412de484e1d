import { ActionIcon, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import IconBookmark from '@tabler/icons-react/dist/esm/icons/IconBookmark.mjs';
import IconPencil from '@tabler/icons-react/dist/esm/icons/IconPencil.mjs';
import IconTrash from '@tabler/icons-react/dist/esm/icons/IconTrash.mjs';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { PanelButton } from '../../../parts/panel-button.tsx';
import { MAX_NAME, renamed, type SavedView, useSavedViews, withView } from './saved-views.ts';

/** Searches under names of one's own; each is a link. */
export function ViewsMenu({ search, cols }: { search: string; cols: string | undefined }): ReactNode {
  const [isOpen, { toggle, close }] = useDisclosure();
  const { views, change } = useSavedViews();
  const save = (name: string): void => change(withView(views, { name, q: search, ...(cols === undefined ? {} : { cols }) }));
  const button = (
    <Button variant="default" onClick={toggle} leftSection={<IconBookmark size={14} aria-hidden />} aria-expanded={isOpen}>
      Saved views
    </Button>
  );
  return (
    <PanelButton button={button} widthPx={320} isOpen={isOpen} onClose={close}>
      <Stack gap={6}>
        {views.length === 0 ? <Text className="faint">None yet. A view keeps the search and the columns, in this browser.</Text> : null}
        {views.map((view) => (
          <View
            key={view.name}
            view={view}
            onOpen={close}
            onRename={(name) => change(renamed(views, view.name, name))}
            onDelete={() => change(views.filter(({ name }) => name !== view.name))}
          />
        ))}
        <NameForm label="Name for what is shown now" verb="Save" onName={save} />
      </Stack>
    </PanelButton>
  );
}

interface ViewProps {
  view: SavedView;
  onOpen: () => void;
  onRename: (name: string) => void;
  onDelete: () => void;
}

function View({ view, onOpen, onRename, onDelete }: ViewProps): ReactNode {
  const [isRenaming, setRenaming] = useState(false);
  const rename = (name: string): void => {
    setRenaming(false);
    onRename(name);
  };
  if (isRenaming) return <NameForm label={`Another name for ${view.name}`} verb="Rename" value={view.name} onName={rename} />;
  return (
    <Group gap={4} wrap="nowrap" justify="space-between">
      <Link to="/ui/orders" search={{ q: view.q, cols: view.cols }} onClick={onOpen} className="foreign" title={view.q}>
        {view.name}
      </Link>
      <Group gap={2} wrap="nowrap">
        <ActionIcon variant="subtle" color="gray" aria-label={`Rename ${view.name}`} onClick={() => setRenaming(true)}>
          <IconPencil size={14} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="subtle" color="gray" aria-label={`Delete ${view.name}`} onClick={onDelete}>
          <IconTrash size={14} aria-hidden />
        </ActionIcon>
      </Group>
    </Group>
  );
}

interface NameFormProps {
  label: string;
  verb: string;
  value?: string;
  onName: (name: string) => void;
}

function NameForm({ label, verb, value = '', onName }: NameFormProps): ReactNode {
  const [name, setName] = useState(value);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onName(name.trim());
        setName('');
      }}
    >
      <Group gap={6} align="flex-end" wrap="nowrap">
        <TextInput
          size="xs"
          flex={1}
          label={label}
          value={name}
          maxLength={MAX_NAME}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={name.trim() === ''}>
          {verb}
        </Button>
      </Group>
    </form>
  );
}

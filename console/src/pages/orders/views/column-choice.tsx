import { Button, Checkbox, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import IconColumns from '@tabler/icons-react/dist/esm/icons/IconColumns.mjs';
import type { ReactNode } from 'react';
import { PanelButton } from '../../../parts/panel-button.tsx';
import { COLUMNS, type Column, textOfColumns, USUAL_COLUMNS } from '../table/columns.tsx';

const KEY = 'conveyor.columns';

/** The columns that were chosen last in this browser; for a URL that names none. */
export function lastColumns(): string | undefined {
  return localStorage.getItem(KEY) ?? undefined;
}

/** Which columns the table has. */
export function ColumnChoice({ chosen, onChoose }: { chosen: readonly Column[]; onChoose: (text: string) => void }): ReactNode {
  const [isOpen, { toggle, close }] = useDisclosure();
  const choose = (columns: readonly Column[]): void => {
    const text = textOfColumns(columns);
    localStorage.setItem(KEY, text);
    onChoose(text);
  };
  const button = (
    <Button variant="default" onClick={toggle} leftSection={<IconColumns size={14} aria-hidden />} aria-expanded={isOpen} visibleFrom="sm">
      Columns
    </Button>
  );
  return (
    <PanelButton button={button} isOpen={isOpen} onClose={close}>
      <Stack gap={6}>
        {COLUMNS.map((column) => {
          const isChosen = chosen.includes(column);
          return (
            <Checkbox
              key={column.key}
              size="xs"
              label={column.title}
              checked={isChosen}
              disabled={isChosen && chosen.length === 1}
              onChange={() => choose(COLUMNS.filter((one) => (one === column ? !isChosen : chosen.includes(one))))}
            />
          );
        })}
        <Button variant="default" size="compact-xs" onClick={() => choose(USUAL_COLUMNS)}>
          The usual ones
        </Button>
      </Stack>
    </PanelButton>
  );
}

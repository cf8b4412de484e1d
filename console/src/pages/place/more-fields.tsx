import { ActionIcon, Button, Stack, Table, Text, Textarea, TextInput, VisuallyHidden } from '@mantine/core';
import IconTrash from '@tabler/icons-react/dist/esm/icons/IconTrash.mjs';
import { memo, type ReactNode } from 'react';
import { MAX_ITEMS } from '#domain/order-limits.ts';
import { capitalise } from '../../format.ts';
import { addItem, changeItem, type Draft, type DraftItem, removeItem } from './draft.ts';
import { fieldProps } from './fields.tsx';
import classes from './place.module.css';
import type { Place } from './use-place.ts';

/** What most orders do not have. */
export function MoreFields({ place }: { place: Place }): ReactNode {
  return (
    <Stack gap="sm" pt="sm">
      <Items place={place} />
      <Textarea
        label="Metadata"
        description="A JSON object of your own; it is kept with the order and shown, nothing else"
        autosize
        minRows={2}
        maxRows={16}
        spellCheck={false}
        classNames={{ input: 'mono' }}
        {...fieldProps(place, 'metadata')}
      />
      <TextInput
        label="Your own order id"
        description="Also a key: sent again it finds the same order. The order gets an id of ours besides"
        autoComplete="off"
        spellCheck={false}
        {...fieldProps(place, 'order_id')}
      />
    </Stack>
  );
}

function Items({ place }: { place: Place }): ReactNode {
  const { draft, setDraft, faults } = place;
  return (
    <div>
      <Text fw={500} mb={4} id="place-items">
        Items
      </Text>
      {draft.items.length === 0 ? null : (
        <Table verticalSpacing={3} horizontalSpacing={4} className={classes['items']} aria-labelledby="place-items">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">SKU</Table.Th>
              <Table.Th scope="col">Quantity</Table.Th>
              <Table.Th scope="col">Unit price</Table.Th>
              <Table.Th scope="col">
                <VisuallyHidden>Remove</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {draft.items.map((item, index) => (
              <ItemRow
                key={item.row}
                item={item}
                index={index}
                setDraft={setDraft}
                skuFault={faults[`/items/${index}/sku`]}
                quantityFault={faults[`/items/${index}/quantity`]}
                priceFault={faults[`/items/${index}/unit_price`]}
              />
            ))}
          </Table.Tbody>
        </Table>
      )}
      {faults['/items'] ? (
        <Text role="alert" c="var(--state-failed)">
          {capitalise(faults['/items'])}
        </Text>
      ) : null}
      <Button variant="default" mt={4} disabled={draft.items.length >= MAX_ITEMS} onClick={() => setDraft(addItem)}>
        Add an item
      </Button>
    </div>
  );
}

interface ItemRowProps {
  item: DraftItem;
  index: number;
  setDraft: (change: (draft: Draft) => Draft) => void;
  skuFault: string | undefined;
  quantityFault: string | undefined;
  priceFault: string | undefined;
}

/** Of hundreds of rows only the one that changes is drawn again. */
const ItemRow = memo(function ItemRow({ item, index, setDraft, skuFault, quantityFault, priceFault }: ItemRowProps): ReactNode {
  const number = index + 1;
  const cell = (name: 'sku' | 'quantity' | 'unit_price', label: string, fault: string | undefined): ReactNode => (
    <Table.Td>
      <TextInput
        size="xs"
        aria-label={`${label} of item ${number}`}
        autoComplete="off"
        inputMode={name === 'sku' ? 'text' : 'decimal'}
        value={item[name]}
        error={fault && <span className="foreign">{capitalise(fault)}</span>}
        onChange={(event) => {
          const { value } = event.currentTarget;
          setDraft((now) => changeItem(now, item.row, { [name]: value }));
        }}
      />
    </Table.Td>
  );
  return (
    <Table.Tr>
      {cell('sku', 'SKU', skuFault)}
      {cell('quantity', 'Quantity', quantityFault)}
      {cell('unit_price', 'Unit price', priceFault)}
      <Table.Td>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Remove item ${number}`}
          onClick={() => setDraft((now) => removeItem(now, item.row))}
        >
          <IconTrash size={15} aria-hidden />
        </ActionIcon>
      </Table.Td>
    </Table.Tr>
  );
});

import { Stack, Table, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatMillionths, toMillionths } from '#domain/money.ts';
import type { OrderViewJson } from '#gateway/api.ts';
import { formatCount, formatJson, formatMoney } from '../../format.ts';
import { Clipped } from './clipped.tsx';
import { More, useFirst } from './more.tsx';
import classes from './order.module.css';

type Item = NonNullable<OrderViewJson['items']>[number];

const ITEMS_AT_ONCE = 10;

/** What the customer sent besides the order's names and numbers: everything in it may be anything. */
export function Payload({ order }: { order: OrderViewJson }): ReactNode {
  const { items = [], detail, metadata } = order;
  const hasMetadata = metadata !== undefined && Object.keys(metadata).length > 0;
  if (items.length === 0 && !detail && !hasMetadata) return null;
  return (
    <section className={`panel ${classes['panel']}`} aria-labelledby="content">
      <Title order={2} id="content" mb={4}>
        Content
      </Title>
      <Stack gap="sm">
        {items.length > 0 ? <Items items={items} /> : null}
        {detail ? (
          <div>
            <Title order={3}>Detail</Title>
            <Clipped text={detail} />
          </div>
        ) : null}
        {hasMetadata ? (
          <div>
            <Title order={3}>Metadata</Title>
            <Clipped text={formatJson(metadata)} isCode />
          </div>
        ) : null}
      </Stack>
    </section>
  );
}

function Items({ items }: { items: readonly Item[] }): ReactNode {
  const { first, ...more } = useFirst(items, ITEMS_AT_ONCE);
  return (
    <div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className={classes['scroll']} tabIndex={0} aria-label="Items">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Item</Table.Th>
              <Table.Th scope="col" ta="right">
                Quantity
              </Table.Th>
              <Table.Th scope="col" ta="right">
                Price of one
              </Table.Th>
              <Table.Th scope="col" ta="right">
                Price
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {first.map(({ sku, quantity, unit_price: price }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an order may name the same item twice, and its items never change.
              <Table.Tr key={index}>
                <Table.Th scope="row" className={`foreign ${classes['item']}`} fw={400}>
                  {sku}
                </Table.Th>
                <Table.Td ta="right" className="number">
                  {formatCount(quantity)}
                </Table.Td>
                <Table.Td ta="right" className="number">
                  {price === undefined ? null : formatMoney(price)}
                </Table.Td>
                <Table.Td ta="right" className="number">
                  {price === undefined ? null : formatMoney(formatMillionths(toMillionths(price) * BigInt(quantity)))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <More {...more} />
    </div>
  );
}

import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './scroll-table.module.css';

/** A table that scrolls in itself where the page is narrow, also with the keyboard. `columns`: what its head says. */
export function ScrollTable({ label, columns, children }: { label: string; columns: readonly string[]; children: ReactNode }): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not scroll it.
    <section className={`panel ${classes['frame']}`} aria-label={label} tabIndex={0}>
      <Table highlightOnHover className={classes['table']}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column} scope="col">
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </section>
  );
}

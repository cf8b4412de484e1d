import type { OrderPageJson } from '#gateway/api.ts';
import { type Cell, cellsOf } from '../../parts/step-cells.ts';
import { stepNamesOf } from '../../parts/step-names.ts';

/** The grid of the last orders and their steps. Pure. */

/** With its steps, where they were asked for. */
export type SteppedSummary = OrderPageJson['orders'][number];

export interface GridColumn {
  order: SteppedSummary;
  /** By the name of the step. */
  cells: ReadonlyMap<string, Cell>;
}

export function columnOf(order: SteppedSummary): GridColumn {
  return { order, cells: new Map(cellsOf(order, stepNamesOf(order)).map((cell) => [cell.name, cell])) };
}

/** The steps that any of the orders has, those of the usual workflow first. */
export function rowsOf(columns: readonly GridColumn[]): string[] {
  const usualFirst = columns.toSorted((one, other) => stepNamesOf(other.order).length - stepNamesOf(one.order).length);
  return [...new Set(usualFirst.flatMap(({ cells }) => [...cells.keys()]))];
}

/** While somebody points at an order all stay where they are: they change, but none comes or goes. */
export function holdPlaces(held: readonly SteppedSummary[], latest: readonly SteppedSummary[]): readonly SteppedSummary[] {
  const byId = new Map(latest.map((order) => [order.order_id, order]));
  return held.map((order) => byId.get(order.order_id) ?? order);
}

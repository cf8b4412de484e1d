/** How much an order may hold: what the API's schema says, and what the console's form says before anything is sent. */

export const MAX_BODY_BYTES = 256 * 1024;
export const MAX_DETAIL_BYTES = 64 * 1024;
export const MAX_METADATA_BYTES = 16 * 1024;
export const MAX_ITEMS = 1_000;
/** Of the order and of each item. */
export const MAX_QUANTITY = 1_000_000;

/** In characters. */
export const MAX_LENGTHS = { customer_name: 200, region: 64, symbol: 32, tracking_id: 255, sku: 200 } as const;

/** A decimal number as text. */
export const UNIT_PRICE = /^[0-9]{1,12}(\.[0-9]{1,6})?$/;
/** The client's own id of an order. */
export const OWN_ORDER_ID = /^[A-Za-z0-9._-]{1,64}$/;

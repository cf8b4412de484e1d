/** What the document says of each suite, in its order. A suite without a text stands at the end under its name. */
export const TEXTS: Record<string, { title: string; text: string }> = {
  carry: {
    title: 'Carrying orders',
    text: `Orders with four empty steps, accepted beforehand, carried by nodes of 50 slots: what Conveyor itself costs. The yardstick R is what
PostgreSQL can do on this machine at this moment: four durable transitions for each order by the cheapest statement there is, 50 orders
at a time, without a history. It is measured before and after every run of ours, so the ratio holds on a slower or busier machine too.`,
  },
  accept: {
    title: 'Accepting orders over HTTP',
    text: `\`POST /orders\` from connections that send when they were answered; every 202 is durable. The same route over a store that keeps
nothing shows what HTTP, authentication and the check of the body cost by themselves; one insert per request through a pool of ten
shows what group commit gains.`,
  },
  'pick-up': {
    title: 'From the request to the running step',
    text: `One order at a time, from the request being sent to the first step's handler running in another process: on an idle system, then
while other orders come at half of the capacity, which is the rate that one gateway and one node keep up with on this machine.`,
  },
  idle: { title: 'A node without work', text: 'Statements that the database counts while a node that leads has nothing to do.' },
  query: {
    title: 'Reading',
    text: `One order by its id on 256 connections, beside a bare handler that answers the same bytes; and the first page of the list by each
filter while millions of finished orders are stored. Filters that find nothing are the hard ones: they can stop nowhere.`,
  },
  backlog: {
    title: 'A claim while very many orders wait',
    text: 'A claim of 50 orders with few and with very many of them waiting, claim by claim in turn. It should not matter.',
  },
  retention: {
    title: 'With millions of finished orders',
    text: 'The figures of carrying, accepting and picking up on a database that has kept all orders of 30 days, beside an empty one.',
  },
  soak: {
    title: 'Load for a long time, with an old snapshot open',
    text: `Gateway and node at 70 % of their capacity while a transaction keeps a snapshot from the beginning open, as a backup or a forgotten
session does: nothing that died since then can be cleaned away. Claims must not become slower by it.`,
  },
  overload: {
    title: 'Ten times too much',
    text: `2,000 connections send far more than a gateway can accept, without waiting for answers, and 100 more send and read a byte at a
time. The gateway may refuse; it may not grow, and what it accepted must end.`,
  },
  fleet: {
    title: 'Many nodes',
    text: `How much of what its slots could do a fleet does while a backlog waits; what idle nodes send; and what PostgreSQL does for the same
orders with ever more nodes.`,
  },
  takeover: {
    title: 'After a node died',
    text: 'From the death of a process with 50 running steps to the moment at which all 50 run elsewhere.',
  },
  console: {
    title: 'The console in a browser',
    text: `Debian's Chromium on the same machine, signed in as an operator, while millions of finished orders are stored: from the request of a
page to the frame that shows what it asked for, by the page's own clock (its files from the browser's cache, its data from the database),
what an empty cache has to load, and how busy the page's main thread is while 500 events a second arrive, by Chromium's own figures.`,
  },
  herd: { title: 'Who wakes for one order', text: 'A hundred idle nodes and one new order: only as many should ask for it as are needed.' },
  restart: { title: 'A rolling restart', text: 'Nodes replaced one after the other under load.' },
  prices: { title: 'Totals of prices', text: 'Whether they are exact after failures and rollbacks, and what reading them takes.' },
  generator: {
    title: 'Generated orders',
    text: 'Two gateways, of which one places an order at every tick, and what happens when that one dies.',
  },
};

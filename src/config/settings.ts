import { DEFAULT_REBALANCE_AT } from '#domain/routing.ts';
import type { SettingRow } from './setting-row.ts';
import type { WarehouseAddress } from './warehouses.ts';

const DAY_MS = 86_400_000;

/** The one table of settings: the command line, the environment, the configuration file, the checks and `docs/config.md` come from it. */
export const SETTINGS = {
  stepDurationMs: {
    kind: 'duration',
    flag: 'step-duration',
    variable: 'CONVEYOR_STEP_DURATION',
    config: 'stepDuration',
    default: '5s',
    min: 0,
    max: DAY_MS,
    sentence: 'How long each step of the default workflow takes.',
  },
  failureRate: {
    kind: 'fraction',
    flag: 'failure-rate',
    variable: 'CONVEYOR_FAILURE_RATE',
    config: 'failureRate',
    default: '0.05',
    min: 0,
    max: 1,
    sentence: 'The probability that a step of the default workflow fails, which rolls its order back.',
  },
  slots: {
    kind: 'integer',
    flag: 'slots',
    variable: 'CONVEYOR_SLOTS',
    config: 'slots',
    default: '50',
    min: 1,
    max: 1_000,
    sentence: 'How many orders a node works at the same time.',
  },
  port: {
    kind: 'integer',
    flag: 'port',
    variable: 'CONVEYOR_PORT',
    config: 'port',
    default: '8080',
    min: 0,
    max: 65_535,
    sentence: 'The port of the gateway; 0 takes a free one, which is printed.',
  },
  host: {
    kind: 'text',
    flag: 'host',
    variable: 'CONVEYOR_HOST',
    config: 'host',
    default: '127.0.0.1',
    pattern: /^[A-Za-z0-9.:_-]{1,253}$/,
    allowed: 'a host name or an IP address of this machine',
    sentence: 'The address the gateway listens on; one beyond loopback needs tokens made with `conveyor token create`.',
  },
  dataDir: {
    kind: 'text',
    flag: 'data-dir',
    variable: 'CONVEYOR_DATA_DIR',
    config: 'dataDir',
    default: '.conveyor',
    pattern: /^[^\p{Cc}]{1,4096}$/u,
    allowed: 'the path of a folder',
    sentence: 'The folder of the embedded databases; it is created if missing, and the data in it survives a restart.',
  },
  warehouses: {
    kind: 'warehouses',
    flag: 'database',
    variable: 'CONVEYOR_WAREHOUSES',
    config: 'warehouses',
    default: undefined,
    otherwise: 'embedded databases in the data folder',
    sentence:
      'Databases that exist already, as `NAME=URL` separated by spaces (the flag is repeated instead); then nothing embedded is started.',
  },
  embedded: {
    kind: 'names',
    flag: 'embedded',
    variable: 'CONVEYOR_EMBEDDED',
    config: 'embedded',
    default: 'HCM HN DN',
    sentence: 'The warehouses that get an embedded database each, when no databases are given; separated by spaces or commas.',
  },
  fallback: {
    kind: 'map',
    flag: 'fallback',
    variable: 'CONVEYOR_FALLBACK',
    config: 'fallback',
    default: undefined,
    otherwise: 'none: the least loaded healthy one',
    sentence:
      "Who takes a region's new orders when its own warehouse cannot, in this order: `HN=DN,HCM`, several separated by spaces (the flag may be repeated).",
  },
  rebalanceAt: {
    kind: 'fraction',
    flag: 'rebalance-at',
    variable: 'CONVEYOR_REBALANCE_AT',
    config: 'rebalanceAt',
    default: String(DEFAULT_REBALANCE_AT),
    min: 0,
    max: 1_000,
    sentence:
      'A new order leaves its own warehouse when that has so many times the backlog per slot of another; 0 keeps every order at home.',
  },
  defaultRegion: {
    kind: 'text',
    flag: 'default-region',
    variable: 'CONVEYOR_DEFAULT_REGION',
    config: 'defaultRegion',
    default: undefined,
    otherwise: 'such orders are refused',
    pattern: /^[A-Za-z0-9_-]{1,32}$/,
    allowed: 'the name of a warehouse',
    sentence: 'Where orders go that name a region without a warehouse.',
  },
  warehouseWorkflow: {
    kind: 'map',
    flag: 'warehouse-workflow',
    variable: 'CONVEYOR_WAREHOUSE_WORKFLOW',
    config: 'warehouseWorkflow',
    default: undefined,
    otherwise: 'that of `--workflow` everywhere',
    sentence:
      'Warehouses whose new orders begin with a workflow of their own: `HN=order-hn`, several separated by spaces (the flag may be repeated).',
  },
  gateLimitMs: {
    kind: 'duration',
    flag: 'gate-limit',
    variable: 'CONVEYOR_GATE_LIMIT',
    config: 'gateLimit',
    default: '30s',
    min: 0,
    max: DAY_MS,
    sentence:
      'How long, after an outage of its database, orders with keys may wait to be compared with what ran elsewhere; then they go on, marked.',
  },
  retentionMs: {
    kind: 'duration',
    flag: 'retention',
    variable: 'CONVEYOR_RETENTION',
    config: 'retention',
    default: undefined,
    otherwise: 'for ever',
    min: 3_600_000,
    max: 3_650 * DAY_MS,
    sentence:
      'How long orders are kept after their end, at least; then they go with all that belongs to them. Orders that did not end are never dropped.',
  },
  leaseTtlMs: {
    kind: 'duration',
    flag: 'lease-ttl',
    variable: 'CONVEYOR_LEASE_TTL',
    config: 'leaseTtl',
    default: '3s',
    min: 300,
    max: 600_000,
    sentence: 'How long after its last heartbeat a node still owns its orders; after that others may take them over.',
  },
  heartbeatMs: {
    kind: 'duration',
    flag: 'heartbeat',
    variable: 'CONVEYOR_HEARTBEAT',
    config: 'heartbeat',
    default: '750ms',
    min: 50,
    max: 200_000,
    sentence: 'How often a node extends its lease; at most a third of the lease.',
  },
  leaseMarginMs: {
    kind: 'duration',
    flag: 'lease-margin',
    variable: 'CONVEYOR_LEASE_MARGIN',
    config: 'leaseMargin',
    default: '600ms',
    min: 30,
    max: 600_000,
    sentence: 'How long before the end of its lease a node that cannot extend it stops working; at least a tenth of the lease.',
  },
  liveness: {
    kind: 'choice',
    flag: 'liveness',
    variable: 'CONVEYOR_LIVENESS',
    config: 'liveness',
    default: 'on',
    choices: ['on', 'off'],
    sentence:
      'Whether a node holds a lock on a connection of its own, by which others notice its end at once; without, they notice it when its lease runs out.',
  },
  opsPort: {
    kind: 'integer',
    flag: 'ops-port',
    variable: 'CONVEYOR_OPS_PORT',
    config: 'opsPort',
    default: undefined,
    otherwise: '8765, or the next free one, which is printed',
    min: 0,
    max: 65_535,
    sentence: 'The port of a node for its operators: what it did, whether it turns, and how to stop it. 0 takes any free one.',
  },
  opsHost: {
    kind: 'text',
    flag: 'ops-host',
    variable: 'CONVEYOR_OPS_HOST',
    config: 'opsHost',
    default: '127.0.0.1',
    pattern: /^[A-Za-z0-9.:_-]{1,253}$/,
    allowed: 'a host name or an IP address of this machine',
    sentence: 'The address the operations port listens on; `/command/stop` is answered to this machine only, whatever it is.',
  },
  drainTimeoutMs: {
    kind: 'duration',
    flag: 'drain-timeout',
    variable: 'CONVEYOR_DRAIN_TIMEOUT',
    config: 'drainTimeout',
    default: '30s',
    min: 0,
    max: DAY_MS,
    sentence: 'How long a stopping node lets running steps finish before it aborts them and hands their orders back.',
  },
  maxWaitingOrders: {
    kind: 'integer',
    flag: 'max-waiting-orders',
    variable: 'CONVEYOR_MAX_WAITING_ORDERS',
    config: 'maxWaitingOrders',
    default: '4000',
    min: 1,
    max: 1_000_000,
    sentence: 'How many orders may wait in the gateway to be stored; beyond that it answers 503 with `Retry-After`.',
  },
  nodeName: {
    kind: 'text',
    flag: 'node-name',
    variable: 'CONVEYOR_NODE_NAME',
    config: 'nodeName',
    default: undefined,
    otherwise: "the machine's host name",
    pattern: /^[A-Za-z0-9._-]{1,64}$/,
    allowed: '1 to 64 of A-Z a-z 0-9 . _ -',
    sentence: 'The readable name of the node; two nodes on one machine should have different ones.',
  },
  workflow: {
    kind: 'text',
    flag: 'workflow',
    variable: 'CONVEYOR_WORKFLOW',
    config: 'workflow',
    default: 'order',
    pattern: /^[A-Za-z0-9._-]{1,64}$/,
    allowed: 'the name of a workflow',
    sentence: 'The workflow that new orders begin with: `order` or one that `conveyor.config.ts` defines.',
  },
  logLevel: {
    kind: 'choice',
    flag: 'log-level',
    variable: 'CONVEYOR_LOG_LEVEL',
    config: 'logLevel',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    sentence: 'The least severe log lines that are written.',
  },
  logFormat: {
    kind: 'choice',
    flag: 'log-format',
    variable: 'CONVEYOR_LOG_FORMAT',
    config: 'logFormat',
    default: undefined,
    otherwise: '`pretty` on a terminal, else `json`',
    choices: ['pretty', 'json'],
    sentence: 'Log lines for people or one JSON object a line.',
  },
  amqpUrl: {
    kind: 'text',
    flag: 'amqp-url',
    variable: 'CONVEYOR_AMQP_URL',
    config: undefined,
    default: undefined,
    otherwise: 'no messages',
    pattern: /^amqps?:\/\/[^\s\p{Cc}]{1,500}$/u,
    allowed: 'the address of a RabbitMQ server, amqp://user:password@host:5672/vhost',
    secret: true,
    sentence:
      'The RabbitMQ server to which every event of an order is announced, and from which orders are taken in; prefer the variable, a flag is visible to other users.',
  },
  webhookTargets: {
    kind: 'choice',
    flag: 'webhook-targets',
    variable: 'CONVEYOR_WEBHOOK_TARGETS',
    config: 'webhookTargets',
    default: 'public',
    choices: ['public', 'all'],
    sentence: 'Where webhooks may lead: `public` refuses addresses of private networks, of this machine too; `all` allows them.',
  },
  endpoint: {
    kind: 'address',
    flag: 'endpoint',
    variable: 'CONVEYOR_ENDPOINT',
    config: 'endpoint',
    default: 'http://localhost:8080',
    sentence: 'The gateway that `orders` and `simulate` talk to.',
  },
  join: {
    kind: 'address',
    flag: 'join',
    variable: 'CONVEYOR_JOIN',
    config: 'join',
    default: undefined,
    otherwise: 'the databases of `CONVEYOR_WAREHOUSES`',
    sentence: 'The gateway of the cluster that a node joins; it tells the node which database to work for.',
  },
  joinToken: {
    kind: 'text',
    flag: 'join-token',
    variable: 'CONVEYOR_JOIN_TOKEN',
    config: undefined,
    default: undefined,
    otherwise: 'none; a gateway that only this machine reaches needs none',
    pattern: /^[\x21-\x7e]{1,512}$/,
    allowed: '1 to 512 printable characters without spaces',
    secret: true,
    sentence:
      'The token a node joins with, made by `conveyor token create --role join`; prefer the variable, a flag is visible to other users.',
  },
  token: {
    kind: 'text',
    flag: 'token',
    variable: 'CONVEYOR_TOKEN',
    config: undefined,
    default: undefined,
    otherwise: 'the development token when the endpoint is this machine',
    pattern: /^[\x21-\x7e]{1,512}$/,
    allowed: '1 to 512 printable characters without spaces',
    secret: true,
    sentence:
      'The access token of the commands that talk to a gateway; prefer the variable, a flag is visible to other users of the machine.',
  },
} as const satisfies Record<string, SettingRow>;

type Table = typeof SETTINGS;
export type SettingName = keyof Table;

type ValueOf<Row extends SettingRow> = Row['kind'] extends 'duration' | 'integer' | 'fraction'
  ? number
  : Row['kind'] extends 'warehouses'
    ? readonly WarehouseAddress[]
    : Row['kind'] extends 'names'
      ? readonly string[]
      : Row['kind'] extends 'map'
        ? ReadonlyMap<string, readonly string[]>
        : Row['choices'] extends readonly (infer Choice)[]
          ? Choice
          : string;

/** `undefined` only where neither a default nor a fallback exists. */
type IsOptional<Name extends SettingName> = Name extends
  | 'warehouses'
  | 'token'
  | 'opsPort'
  | 'join'
  | 'joinToken'
  | 'fallback'
  | 'defaultRegion'
  | 'warehouseWorkflow'
  | 'amqpUrl'
  ? undefined
  : never;

/** All settings as the code uses them: durations in milliseconds. */
export type Settings = { readonly [Name in SettingName]: ValueOf<Table[Name]> | IsOptional<Name> };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** What a configuration file may say: texts and numbers as on the command line. */
type Written<Row extends SettingRow> = Row['kind'] extends 'warehouses'
  ? Readonly<Record<string, string>>
  : Row['kind'] extends 'names'
    ? readonly string[]
    : Row['kind'] extends 'map'
      ? Readonly<Record<string, string | readonly string[]>>
      : Row['kind'] extends 'integer' | 'fraction'
        ? number
        : Row['choices'] extends readonly (infer Choice)[]
          ? Choice
          : string;

export type WrittenSettings = {
  readonly [Name in SettingName as Table[Name]['config'] extends string ? Table[Name]['config'] : never]?: Written<Table[Name]>;
};

import { resolve } from 'node:path';
import { maskUrl, type WarehouseAddress } from '#config/warehouses.ts';
import { localUrl } from './port.ts';
import { paint, renderPairs } from './print.ts';

export interface StartedParts {
  version: string;
  host: string;
  port: number;
  addresses: readonly WarehouseAddress[];
  /** With the addresses of their operations ports. */
  nodes: readonly { warehouse: string; address: string }[];
  /** Where the passwords of embedded databases are kept, by warehouse. */
  passwordFiles: ReadonlyMap<string, string>;
  dataDir: string | undefined;
  developmentTokens: boolean;
}

/** Where everything is after a start, and a line to try. */
export function renderBanner(parts: StartedParts): string {
  const url = localUrl(parts.host, parts.port);
  const pairs: [string, string][] = [
    ['Console', `${url}/`],
    ['API', url],
    ['Documentation', `${url}/docs`],
    ['Health', `${url}/health`],
    ['Cluster', `${url}/diagnostic/cluster`],
    ...parts.nodes.map(({ warehouse, address }): [string, string] => [`Node ${warehouse}`, `${address}/command/stat`]),
    ...parts.addresses.map((address): [string, string] => [
      `Warehouse ${address.name}`,
      describeDatabase(address, parts.passwordFiles.get(address.name)),
    ]),
    ...(parts.dataDir === undefined ? [] : [['Data folder', resolve(parts.dataDir)] satisfies [string, string]]),
    ['Tokens', describeTokens(parts.developmentTokens)],
  ];
  return `\n${paint('bold', `Conveyor ${parts.version} is running.`)}\n\n${renderPairs(pairs, '  ')}\n${renderTrial(url, parts.developmentTokens)}\nCtrl-C hands orders back and stops; a second Ctrl-C stops at once.\n\n`;
}

function describeDatabase({ url }: WarehouseAddress, passwordFile: string | undefined): string {
  return passwordFile === undefined ? maskUrl(url) : `${maskUrl(url)}  (password in ${passwordFile})`;
}

function describeTokens(developmentTokens: boolean): string {
  return developmentTokens
    ? 'user (a customer) and operator, for development on this machine; conveyor token create makes real ones'
    : 'those that conveyor token create made';
}

function renderTrial(url: string, developmentTokens: boolean): string {
  const token = developmentTokens ? 'user' : '$CONVEYOR_TOKEN';
  return `Place an order:\n  curl -X POST --data "{}" -H "Authorization:${token}" ${url}/orders\nAdd a node, in another terminal:\n  npx conveyor node --join ${url.replace('http://', '')}\n`;
}

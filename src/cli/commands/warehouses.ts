import { Command } from 'commander';
import { type InterventionOptions, intervene } from '../intervene.ts';
import { addExamples, addOutput, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, withClient } from '../orders.ts';
import { type Column, printData, printRow } from '../print.ts';

/** A warehouse as the gateway answers it, as far as the command reads it. */
interface ShownWarehouse {
  name: string;
  status: string;
  because?: string;
  orders?: { queued: number; running: number };
  nodes?: number;
  slots?: number;
  busy?: number;
  load?: number;
  fallback: string[];
  workflow: string;
  disabled?: { by: string; at: string; reason?: string };
  gate?: { open: boolean };
  open_conflicts?: number;
}

const COLUMNS: Column<ShownWarehouse>[] = [
  { title: 'WAREHOUSE', text: (row) => row.name },
  {
    title: 'STATUS',
    text: (row) => row.status,
    style: ({ status }) => (status === 'OK' ? 'green' : status === 'disabled' ? 'yellow' : 'red'),
  },
  { title: 'QUEUED', text: (row) => String(row.orders?.queued ?? '?') },
  { title: 'RUNNING', text: (row) => String(row.orders?.running ?? '?') },
  { title: 'NODES', text: (row) => String(row.nodes ?? '?') },
  { title: 'BUSY', text: (row) => (row.slots === undefined ? '?' : `${row.busy}/${row.slots}`) },
  { title: 'LOAD', text: (row) => (row.load === undefined ? '' : row.load.toFixed(2)) },
  {
    title: 'GATE',
    text: (row) => (row.gate === undefined ? '?' : row.gate.open ? 'open' : 'shut'),
    style: (row) => (row.gate?.open === false ? 'yellow' : undefined),
  },
  { title: 'CONFLICTS', text: (row) => String(row.open_conflicts ?? '?'), style: (row) => (row.open_conflicts ? 'red' : undefined) },
  { title: 'FALLBACK', text: (row) => row.fallback.join(', '), wide: true },
  { title: 'WORKFLOW', text: (row) => row.workflow, wide: true },
  { title: 'BECAUSE', text: describeTrouble },
];

function describeTrouble({ because, disabled, status }: ShownWarehouse): string {
  if (!disabled || status === 'unavailable') return because ?? '';
  return `by ${disabled.by}${disabled.reason === undefined ? '' : `: ${disabled.reason}`}`;
}

export function warehousesCommand(): Command {
  const command = new Command('warehouses')
    .enablePositionalOptions()
    .description('The warehouses: health, backlog, load; and taking one out of routing.');
  addAccess(addOutput(command));
  addExamples(
    command,
    'conveyor warehouses',
    'conveyor warehouses disable HN --reason "storage is moved" --yes',
    'conveyor warehouses enable HN --yes',
  );
  command.action(async (options: OutputOptions) => {
    const list = (await withClient(command, (client) => client.call({ method: 'GET', path: '/warehouses' }))) as {
      warehouses: ShownWarehouse[];
    };
    printData({ document: list, rows: list.warehouses, columns: COLUMNS, empty: 'No warehouses.' }, formatOf(options));
  });
  return command.addCommand(flagCommand('disable')).addCommand(flagCommand('enable')).addCommand(forgetCommand());
}

function forgetCommand(): Command {
  const command = new Command('forget')
    .description('Let the others not wait for a warehouse that was taken away for good; first take it out of the list of all gateways.')
    .argument('<name>', 'the warehouse that is gone')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--yes', 'do not ask');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor warehouses forget CT --reason "moved into HCM" --yes');
  return command.action(async (name: string, options: InterventionOptions) => {
    const question = `Forget warehouse ${name}? Its orders are compared with nobody's any more.`;
    const request = { question, path: warehousePath(name, 'forget') };
    const shown = await withClient(command, (client) => intervene<{ forgotten_by: string[] }>(client, request, options));
    const columns = [{ title: 'FORGOTTEN BY', text: (row: { name: string }) => row.name }];
    printData({ document: shown, rows: shown.forgotten_by.map((by) => ({ name: by })), columns, empty: '' }, formatOf(options));
  });
}

const WORDS = {
  disable: {
    description: 'Let a warehouse get no new orders; what it has goes on.',
    question: (name: string) => `Disable warehouse ${name}? Its new orders go to others.`,
  },
  enable: {
    description: 'Let a disabled warehouse get new orders again.',
    question: (name: string) => `Enable warehouse ${name}?`,
  },
};

function flagCommand(verb: 'disable' | 'enable'): Command {
  const { description, question } = WORDS[verb];
  const command = new Command(verb)
    .description(description)
    .argument('<name>', 'the warehouse')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--yes', 'do not ask');
  addAccess(addOutput(command));
  addExamples(command, `conveyor warehouses ${verb} HN --reason "maintenance" --yes`);
  return command.action(async (name: string, options: InterventionOptions) => {
    const request = { question: question(name), path: warehousePath(name, verb) };
    const shown = await withClient(command, (client) => intervene<ShownWarehouse>(client, request, options));
    printRow(shown, COLUMNS, formatOf(options));
  });
}

/** A name from the command line may hold anything. */
function warehousePath(name: string, verb: string): string {
  return `/warehouses/${encodeURIComponent(name)}/${verb}`;
}

import type { WorkflowIdentity } from '#engine/store.ts';
import type { Connection, Statement } from './connect.ts';

const READ_WORKFLOWS: Statement = {
  name: 'read_workflows',
  text: 'select workflow_id, name, version, step_names from workflows',
};

const ADD_WORKFLOW: Statement = {
  name: 'add_workflow',
  text: 'insert into workflows (name, version, step_names) values ($1, $2, $3) on conflict do nothing',
};

interface WorkflowRow {
  workflow_id: number;
  name: string;
  version: number;
  step_names: string[];
}

/** The short numbers by which this database knows workflow versions. They never change, so they are kept. */
export class WorkflowIds {
  private readonly connection: Connection;
  private readonly byKey = new Map<string, WorkflowRow>();
  private readonly byId = new Map<number, WorkflowRow>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Adds what the database does not know yet; a version with other steps than stored is refused. */
  async register(workflows: readonly WorkflowIdentity[]): Promise<void> {
    for (const { name, version, stepNames } of workflows) {
      await this.connection.run(ADD_WORKFLOW, [name, version, stepNames]);
    }
    await this.load();
    for (const { name, version, stepNames } of workflows) {
      const stored = this.byKey.get(keyOf(name, version))?.step_names ?? [];
      if (stored.length === stepNames.length && stored.every((stepName, index) => stepName === stepNames[index])) continue;
      throw new Error(
        `workflow ${name} version ${version} has the steps ${stepNames.join(', ')}, but orders of this database began it with ` +
          `${stored.join(', ')}: give the changed workflow a new version and keep the old one until its orders have ended`,
      );
    }
  }

  /** Makes sure that `of` knows the workflows of these orders. */
  async ready(orders: readonly { workflow: string; workflowVersion: number }[]): Promise<void> {
    if (orders.every((order) => this.byKey.has(keyOf(order.workflow, order.workflowVersion)))) return;
    await this.load();
  }

  of(order: { workflow: string; workflowVersion: number }): number {
    const row = this.byKey.get(keyOf(order.workflow, order.workflowVersion));
    if (!row) throw new Error(`workflow ${order.workflow} version ${order.workflowVersion} was not registered with this database`);
    return row.workflow_id;
  }

  /** Makes sure that `nameOf` and `stepNamesOf` know the workflows of these rows. */
  async learn(workflowIds: readonly number[]): Promise<void> {
    if (workflowIds.some((id) => !this.byId.has(id))) await this.load();
  }

  nameOf(workflowId: number): { name: string; version: number } {
    return this.rowOf(workflowId);
  }

  stepNamesOf(workflowId: number): readonly string[] {
    return this.rowOf(workflowId).step_names;
  }

  /** Numbers of the given versions; unknown ones are left out. */
  async numbersOf(workflows: readonly { name: string; version: number }[]): Promise<number[]> {
    await this.load();
    return workflows.flatMap(({ name, version }) => this.byKey.get(keyOf(name, version))?.workflow_id ?? []);
  }

  private rowOf(workflowId: number): WorkflowRow {
    const row = this.byId.get(workflowId);
    if (!row) throw new Error(`assertion failed: workflow ${workflowId} is in no row of workflows`);
    return row;
  }

  private async load(): Promise<void> {
    for (const row of await this.connection.run<WorkflowRow>(READ_WORKFLOWS, [])) {
      this.byKey.set(keyOf(row.name, row.version), row);
      this.byId.set(row.workflow_id, row);
    }
  }
}

function keyOf(name: string, version: number): string {
  return `${name}@${version}`;
}

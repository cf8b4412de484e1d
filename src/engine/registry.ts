import type { Workflow } from './workflow.ts';

/** The workflows that a process knows, by name and version. */
export class WorkflowRegistry {
  private readonly byVersion = new Map<string, Workflow>();
  private readonly latestByName = new Map<string, Workflow>();

  constructor(workflows: readonly Workflow[]) {
    for (const workflow of workflows) {
      const key = versionKey(workflow.name, workflow.version);
      if (this.byVersion.has(key)) throw new Error(`workflow ${workflow.name} version ${workflow.version} is defined twice`);
      this.byVersion.set(key, workflow);
      const latest = this.latestByName.get(workflow.name);
      if (!latest || latest.version < workflow.version) this.latestByName.set(workflow.name, workflow);
    }
  }

  /** The version an order began with, or `undefined` where this process does not know it. */
  find(name: string, version: number): Workflow | undefined {
    return this.byVersion.get(versionKey(name, version));
  }

  /** The newest version: what new orders begin with. */
  latest(name: string): Workflow {
    const workflow = this.latestByName.get(name);
    if (!workflow) throw new Error(`no workflow is called ${name}; known: ${[...this.latestByName.keys()].join(', ')}`);
    return workflow;
  }

  all(): Workflow[] {
    return [...this.byVersion.values()];
  }
}

function versionKey(name: string, version: number): string {
  return `${name}@${version}`;
}

import type { WorkflowIdentity } from '#engine/store.ts';
import { copyOf, type MemoryDatabase, workflowKey } from './database.ts';

/** Adds what the database does not know yet; a version with other steps than stored is refused. */
export function registerWorkflows(db: MemoryDatabase, workflows: readonly WorkflowIdentity[]): void {
  for (const workflow of workflows) {
    const { name, version, stepNames } = workflow;
    const key = workflowKey(name, version);
    const stored = db.workflows.get(key);
    if (!stored) {
      db.workflows.set(key, copyOf(workflow));
    } else if (stored.stepNames.length !== stepNames.length || stored.stepNames.some((stepName, index) => stepName !== stepNames[index])) {
      throw new Error(
        `workflow ${name} version ${version} has the steps ${stepNames.join(', ')}, but orders of this database began it with ` +
          `${stored.stepNames.join(', ')}: give the changed workflow a new version and keep the old one until its orders have ended`,
      );
    }
  }
}

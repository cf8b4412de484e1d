import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { WorkflowRegistry } from '#engine/registry.ts';
import { ApiClient } from './client.ts';
import { CommandFault, EXIT } from './faults.ts';

const JoinAnswer = Type.Object({
  warehouse: Type.String({ minLength: 1 }),
  database_url: Type.String({ pattern: '^postgres(ql)?://' }),
  simulation: Type.Object({ step_duration_ms: Type.Number({ minimum: 0 }), failure_rate: Type.Number({ minimum: 0, maximum: 1 }) }),
});

export type Joined = Static<typeof JoinAnswer>;

export interface JoinOptions {
  endpoint: string;
  token: string | undefined;
  nodeName: string;
  version: string;
  schema: string;
  registry: WorkflowRegistry;
  /** `undefined`: where the fewest slots are. */
  warehouse: string | undefined;
}

/** Asks a gateway which database to work for. Rejects with the gateway's reason where this node does not fit its cluster. */
export async function joinCluster({ endpoint, token, nodeName, version, schema, registry, warehouse }: JoinOptions): Promise<Joined> {
  const client = new ApiClient({ endpoint, token }, 1);
  try {
    const workflows = registry
      .all()
      .map((workflow) => ({ name: workflow.name, version: workflow.version, steps: workflow.steps.map((step) => step.name) }));
    const body = { node_name: nodeName, version, schema, workflows, ...(warehouse === undefined ? {} : { warehouse }) };
    const answer = await client.call({ method: 'POST', path: '/cluster/join', body });
    if (Value.Check(JoinAnswer, answer)) return answer;
    throw new CommandFault(
      EXIT.failed,
      `${endpoint} answered something else than a gateway of Conveyor`,
      'Check the address after --join.',
    );
  } finally {
    await client.close();
  }
}

import { type Static, Type } from 'typebox';
import { aboutPage, pageQuery, Time } from './api.ts';

/** The wire of the routes that operators use, as schemas. */

export const NodeView = Type.Object({
  name: Type.String(),
  node_id: Type.String(),
  connection_string: Type.Optional(Type.String({ description: 'the address of its operations port' })),
  connected: Type.Boolean(),
  last_activity: Time,
  warehouse: Type.String(),
  slots: Type.Integer(),
  busy: Type.Integer(),
  session: Type.Integer(),
  state: Type.String({ description: 'live, draining or dead' }),
  asked: Type.Optional(Type.String({ description: 'what an operator asked of it: drain or stop' })),
  is_leader: Type.Boolean(),
  liveness: Type.Boolean({ description: 'whether its end is noticed at once, or only by its lease' }),
  lease_ms: Type.Integer({ description: 'what is left of its lease' }),
  takeovers: Type.Integer(),
  handed_over: Type.Integer(),
  fenced_writes: Type.Integer(),
  version: Type.String(),
  host: Type.String(),
  started_at: Time,
  ended_at: Type.Optional(Time),
  ended_reason: Type.Optional(Type.String()),
});

const WarehouseView = Type.Object({
  name: Type.String(),
  status: Type.String({ description: 'OK, no_nodes or unavailable' }),
  leader_name: Type.Optional(Type.String()),
  leader_node_id: Type.Optional(Type.String()),
  leader_term: Type.Optional(Type.Integer()),
  nodes: Type.Optional(Type.Integer()),
  slots: Type.Optional(Type.Integer()),
  busy: Type.Optional(Type.Integer()),
});

export const ClusterView = Type.Object({
  leader_name: Type.Optional(Type.String({ description: "the first warehouse's" })),
  nodes_count: Type.Integer(),
  nodes: Type.Array(NodeView),
  warehouses: Type.Array(WarehouseView),
  generated_at: Time,
});

export const ReasonBody = Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })) }, { additionalProperties: false });

export const TransferBody = Type.Object(
  { service_id: Type.String({ maxLength: 100 }), reason: Type.Optional(Type.String({ maxLength: 500 })) },
  { additionalProperties: false },
);

export const TransferAnswer = Type.Object({
  current_service_id: Type.String({ description: 'who carried it out' }),
  transferred_service_id: Type.String(),
  orders: Type.Integer({ description: 'how many orders were handed to the others' }),
});

export const AuditQuery = Type.Object(pageQuery, { additionalProperties: false });

export const AuditPage = Type.Object({
  entries: Type.Array(
    Type.Object({
      id: Type.String(),
      at: Time,
      actor: Type.String(),
      action: Type.String(),
      target: Type.String(),
      reason: Type.Optional(Type.String()),
      detail: Type.Optional(Type.Unknown()),
      warehouse: Type.String(),
    }),
  ),
  ...aboutPage,
});

export type NodeJson = Static<typeof NodeView>;
export type AuditPageJson = Static<typeof AuditPage>;
export type ClusterJson = Static<typeof ClusterView>;
export type ReasonJson = Static<typeof ReasonBody>;

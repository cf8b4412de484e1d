import { queryOptions } from '@tanstack/react-query';
import type { WebhookListJson } from '#gateway/api-webhooks.ts';
import { get } from '../../api/client.ts';

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: async ({ signal }) => (await get<WebhookListJson>('/webhooks', { signal })).webhooks,
});

import { queryOptions } from '@tanstack/react-query';
import type { WebhookJson } from '#gateway/api-webhooks.ts';
import { get } from '../../api/client.ts';

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: async ({ signal }) => (await get<{ webhooks: WebhookJson[] }>('/webhooks', { signal })).webhooks,
});

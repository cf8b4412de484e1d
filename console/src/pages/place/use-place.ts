import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { OrderContent } from '#domain/order.ts';
import type { AcceptedOrderJson } from '#gateway/api.ts';
import { ApiFailure, post } from '../../api/client.ts';
import { useSession } from '../../api/session.ts';
import { orderQuery } from '../order/order-queries.ts';
import { checkDraft, type Faults, faultsOf } from './check-draft.ts';
import { type Draft, draftLike, EMPTY_DRAFT, withoutOwnNames } from './draft.ts';
import { type IdempotencyKeys, openIdempotencyKeys } from './idempotency-keys.ts';

interface Kept {
  draft: Draft;
  /** The order that this form placed last. */
  placed?: { orderId: string; at: string } | undefined;
}

/** The form, what is wrong with it, and its way to the gateway. It outlives the page: one comes back for another like it. */
export function usePlace() {
  const { kept, setKept, keys } = useKept();
  const { draft, placed } = kept;
  const setDraft = useCallback((change: (draft: Draft) => Draft) => setKept((now) => ({ ...now, draft: change(now.draft) })), [setKept]);
  const likeError = useLike(setDraft);
  const { content, faults } = useMemo(() => checkDraft(draft), [draft]);
  const send = useSend(keys, (order) =>
    setKept((now) => ({ draft: withoutOwnNames(now.draft), placed: { orderId: order.order_id, at: order.start_time } })),
  );
  const navigate = useNavigate();
  const [isTried, setTried] = useState(false);
  const [refused, setRefused] = useState<{ draft: Draft; faults: Faults }>();
  /** Sends it, or says what is wrong with it. */
  const submit = (): Faults => {
    setTried(true);
    if (Object.keys(faults).length > 0 || send.isPending) return faults;
    send.mutate(content, {
      onSuccess: ({ order_id: id }) => void navigate({ to: '/ui/orders/$id', params: { id } }),
      onError: (error) => setRefused({ draft, faults: faultsOf(errorsOf(error), draft) }),
    });
    return {};
  };
  const replace = (next: Draft): void => {
    setTried(false);
    send.reset();
    setDraft(() => next);
  };
  const shown = { ...(isTried ? faults : withoutMissing(faults, draft)), ...stillTrue(refused, draft) };
  /** All that the gateway said is shown at a field; nothing is left to say. */
  const errors = errorsOf(send.error);
  const isSaidAtFields = errors.length > 0 && errors.every((error) => Object.keys(faultsOf([error], draft)).length > 0);
  const isSound = Object.keys(faults).length === 0;
  return {
    draft,
    setDraft,
    replace,
    content,
    isSound,
    faults: shown,
    submit,
    send,
    isSaidAtFields,
    placed,
    keyOf: keys.keyOf,
    likeError,
  };
}

export type Place = ReturnType<typeof usePlace>;

function errorsOf(error: unknown): { field: string; reason: string }[] {
  return error instanceof ApiFailure ? (error.problem.errors ?? []) : [];
}

function useKept() {
  const { name } = useSession();
  const place = `conveyor.place.${name}`;
  const [kept, setKept] = useState<Kept>(() => readKept(place));
  const keys = useMemo(() => openIdempotencyKeys(sessionStorage, `${place}.keys`), [place]);
  useEffect(() => {
    try {
      sessionStorage.setItem(place, JSON.stringify(kept));
    } catch {
      // The storage is full: the form holds until the page is loaded again.
    }
  }, [place, kept]);
  return { kept, setKept, keys };
}

function readKept(place: string): Kept {
  try {
    const { draft, placed } = JSON.parse(sessionStorage.getItem(place) ?? '{}') as Partial<Kept>;
    return { draft: { ...EMPTY_DRAFT, ...draft }, placed };
  } catch {
    return { draft: EMPTY_DRAFT };
  }
}

/** `?like=ID`: the form begins as that order was; why it could not. */
function useLike(setDraft: (change: (draft: Draft) => Draft) => void): Error | null {
  const { like = '' } = useSearch({ from: '/ui/place' });
  const navigate = useNavigate();
  const { data, error } = useQuery({
    ...orderQuery(like),
    enabled: like !== '',
  });
  useEffect(() => {
    if (like === '' || !data) return;
    setDraft(() => draftLike(data as OrderContent));
    void navigate({ to: '/ui/place', search: {}, replace: true });
  }, [like, data, setDraft, navigate]);
  return error;
}

function useSend(keys: IdempotencyKeys, onPlaced: (order: AcceptedOrderJson) => void) {
  return useMutation({
    mutationFn: async (content: OrderContent) => {
      let isNew = true;
      const order = await post<AcceptedOrderJson>('/orders', {
        body: content,
        headers: { 'idempotency-key': keys.keyOf(content) },
        onResponse: ({ status }) => {
          isNew = status === 202;
        },
      });
      return { ...order, isNew };
    },
    onSuccess: (order, content) => {
      keys.settle(content);
      onPlaced(order);
      notifications.show(
        order.isNew
          ? { title: 'Order placed', message: 'The form is kept: g n leads back to it, for another like it.' }
          : { title: 'Placed before', message: 'Its key or tracking id had placed this order already; no second one was made.' },
      );
    },
  });
}

/** A row that was just added is not wrong before one wants to send it. */
function withoutMissing(faults: Faults, draft: Draft): Faults {
  const isFresh = (field: string): boolean => {
    const [, list, index, name] = field.split('/');
    return list === 'items' && name === 'sku' && draft.items[Number(index)]?.sku === '';
  };
  return Object.fromEntries(Object.entries(faults).filter(([field]) => !isFresh(field)));
}

/** What the gateway said of a field concerns what it was then. */
function stillTrue(refused: { draft: Draft; faults: Faults } | undefined, draft: Draft): Faults {
  if (!refused) return {};
  const isSame = (field: string): boolean => {
    const name = field.split('/')[1] as keyof Draft;
    return refused.draft[name] === draft[name];
  };
  return Object.fromEntries(Object.entries(refused.faults).filter(([field]) => isSame(field)));
}

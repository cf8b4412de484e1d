import { Autocomplete, SimpleGrid, Text, Textarea, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { MAX_DETAIL_BYTES } from '#domain/order-limits.ts';
import { useRegions } from '../../api/regions.ts';
import { capitalise, formatCount } from '../../format.ts';
import { bytesOf } from './check-draft.ts';
import type { Draft } from './draft.ts';
import type { Place } from './use-place.ts';

type TextField = Exclude<keyof Draft, 'items'>;

/** What every text field of the form has: its text, how it changes, what is wrong with it. */
export function fieldProps({ draft, setDraft, faults }: Place, name: TextField) {
  const fault = faults[`/${name}`];
  return {
    name,
    value: draft[name],
    error: fault && <span className="foreign">{capitalise(fault)}</span>,
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setDraft((now) => ({ ...now, [name]: value }));
    },
  };
}

export function Fields({ place }: { place: Place }): ReactNode {
  const { value, onChange, ...region } = fieldProps(place, 'region');
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TextInput label="Customer name" autoComplete="off" {...fieldProps(place, 'customer_name')} />
        <Autocomplete
          label="Region"
          autoComplete="off"
          data={useRegions()}
          {...region}
          value={value}
          onChange={(text) => onChange({ currentTarget: { value: text } })}
        />
        <TextInput label="Symbol" autoComplete="off" {...fieldProps(place, 'symbol')} />
        <TextInput label="Quantity" inputMode="numeric" autoComplete="off" placeholder="1" {...fieldProps(place, 'quantity')} />
      </SimpleGrid>
      <TextInput
        label="Tracking id"
        description="Your own name for it: the same tracking id never makes a second order"
        autoComplete="off"
        {...fieldProps(place, 'tracking_id')}
      />
      <div>
        <Textarea label="Detail" autosize minRows={2} maxRows={12} {...fieldProps(place, 'detail')} />
        <DetailSize text={place.draft.detail} />
      </div>
    </>
  );
}

/** Said only where it begins to matter. */
function DetailSize({ text }: { text: string }): ReactNode {
  const bytes = bytesOf(text);
  if (bytes < MAX_DETAIL_BYTES / 2) return null;
  return (
    <Text className="faint number" mt={4}>
      {formatCount(bytes)} of {formatCount(MAX_DETAIL_BYTES)} bytes
    </Text>
  );
}

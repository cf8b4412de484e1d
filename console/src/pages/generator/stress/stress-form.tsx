import { Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useRegions } from '../../../api/regions.ts';
import { formatCount } from '../../../format.ts';
import classes from '../generator.module.css';
import { startRun } from './current-run.ts';

const MAX_ORDERS = 5_000;
const MAX_CONCURRENCY = 64;
/** In the list of regions. */
const EACH = '';
const NONE = 'none';

/** How many orders, how many at once, where; in the URL as they were last started. */
export function StressForm({ isUnderWay }: { isUnderWay: boolean }): ReactNode {
  const search = useSearch({ from: '/ui/generator' });
  const navigate = useNavigate();
  const [orders, setOrders] = useState(search['orders'] ?? '500');
  const [concurrency, setConcurrency] = useState(search['concurrency'] ?? '8');
  const [region, setRegion] = useState(search['region'] ?? EACH);
  const regions = useRegions();
  const count = readWhole(orders, MAX_ORDERS);
  const atOnce = readWhole(concurrency, MAX_CONCURRENCY);
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    if (count === undefined || atOnce === undefined || isUnderWay) return;
    void navigate({ to: '/ui/generator', search: { orders, concurrency, region }, replace: true });
    startRun({ orders: count, concurrency: atOnce, regions: region === EACH ? regions : region === NONE ? [] : [region] });
  };
  return (
    <form onSubmit={onSubmit} noValidate>
      <Group gap="sm" align="flex-start">
        <WholeField label="Orders" max={MAX_ORDERS} text={orders} onChange={setOrders} isSound={count !== undefined} />
        <WholeField label="At once" max={MAX_CONCURRENCY} text={concurrency} onChange={setConcurrency} isSound={atOnce !== undefined} />
        <NativeSelect
          label="Region"
          size="sm"
          value={region}
          onChange={(event) => setRegion(event.currentTarget.value)}
          data={[{ value: EACH, label: 'Each in turn' }, { value: NONE, label: 'None named' }, ...regions]}
        />
        <Button
          type="submit"
          size="sm"
          className={classes['besideFields']}
          disabled={isUnderWay || count === undefined || atOnce === undefined}
        >
          Start the run
        </Button>
      </Group>
    </form>
  );
}

interface WholeFieldProps {
  label: string;
  max: number;
  text: string;
  onChange: (text: string) => void;
  isSound: boolean;
}

function WholeField({ label, max, text, onChange, isSound }: WholeFieldProps): ReactNode {
  return (
    <TextInput
      label={label}
      className={classes['field']}
      inputMode="numeric"
      autoComplete="off"
      value={text}
      error={isSound ? undefined : `A whole number from 1 to ${formatCount(max)}`}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function readWhole(text: string, max: number): number | undefined {
  const value = Number(text.trim());
  return /^[0-9]+$/.test(text.trim()) && value >= 1 && value <= max ? value : undefined;
}

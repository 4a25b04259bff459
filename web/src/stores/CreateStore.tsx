import { Alert, Button, Collapse, Group, Radio, SegmentedControl, Select, SimpleGrid, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type SyntheticEvent, useEffect, useRef } from 'react';

import { get, Problem } from '../api/client';
import { toldBy } from '../api/fields';
import type { Me, Plan, Plans } from '../api/types';
import { addressOf } from './address';
import { COUNTRIES, CURRENCIES } from './codes';
import { type Draft, EMPTY, idOf, isEmpty } from './draft';
import { idProblem } from './ids';
import { limitReached, storesLeft } from './limits';
import { nameProblem } from './names';
import { useCheck } from './useCheck';

const FIELDS = ['name', 'id', 'plan'];
const MORE = ['domain', 'options.title', 'options.adminEmail'];
const SHOP = ['options.currency', 'options.country', 'options.demoProducts'];

interface Props {
  me: Me;
  draft: Draft;
  edit: (draft: Draft) => void;
  send: () => void;
  sending: boolean;
  /** Why it was not made. */
  error: Error | null;
}

/** Whether something differs that is seen only with more options. */
const saysMore = (draft: Draft): boolean => bodyRest(draft) !== bodyRest(EMPTY);
const bodyRest = (draft: Draft): string => JSON.stringify({ ...draft, name: '', id: null, plan: '' });

export default function CreateStore({ me, draft, edit, send, sending, error }: Props) {
  const [more, toggle] = useDisclosure(saysMore(draft));
  const plans = useQuery({ queryKey: ['plans'], queryFn: () => get<Plans>('/plans') });
  const check = useCheck(draft);
  const set = <Name extends keyof Draft>(name: Name) => (value: Draft[Name]) => edit({ ...draft, [name]: value });
  // For a dialog that was open before this came; one that opens with it looks for data-autofocus.
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const id = idOf(draft);
  const wrong = error ?? check.problem;
  const hidden = [...MORE, ...(draft.engine === 'woocommerce' ? SHOP : [])];
  const { of, rest } = toldBy(wrong, new Set([...FIELDS, ...hidden]));
  // A shop owner can change no setting.
  const limited = wrong instanceof Problem && wrong.limit !== null && me.role !== 'admin';
  const told = limited ? limitReached(me) : rest;
  const unfolded = more || hidden.some((field) => of(field) !== null);
  const address = addressOf({ id, domain: draft.domain }, me.baseDomain, check.address);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!sending) send();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput ref={first} data-autofocus label="Name" required withAsterisk={false} value={draft.name} onChange={(e) => set('name')(e.currentTarget.value)} error={nameProblem(draft.name) ?? of('name')} />
        <TextInput
          label="Id"
          description={address === null ? 'Part of its address; empty: one is made' : `Its address will be ${address}`}
          value={id}
          onChange={(e) => set('id')(e.currentTarget.value)}
          error={idProblem(id) ?? of('id')}
        />
        <Radio.Group label="Plan" value={draft.plan} onChange={set('plan')} error={of('plan')}>
          {/* The plans' room is theirs before they are here: the dialog does not grow under the pointer. */}
          <SimpleGrid cols={{ base: 1, sm: 3 }} mt={4} mih={{ base: '22rem', sm: '9rem' }}>
            {(plans.data?.plans ?? []).map((plan) => (
              <PlanCard key={plan.name} plan={plan} />
            ))}
          </SimpleGrid>
        </Radio.Group>
        <Button variant="default" size="compact-sm" onClick={toggle.toggle} aria-expanded={unfolded} style={{ alignSelf: 'start' }}>
          {unfolded ? 'Fewer options' : 'More options'}
        </Button>
        <Collapse expanded={unfolded}>
          <Stack>
            <SegmentedControl
              aria-label="Engine"
              fullWidth
              value={draft.engine}
              onChange={set('engine')}
              data={[{ value: 'woocommerce', label: 'WooCommerce' }, { value: 'wordpress', label: 'WordPress only' }]}
            />
            <TextInput label="Title" description="What visitors read; empty: the name" value={draft.title} onChange={(e) => set('title')(e.currentTarget.value)} error={of('options.title')} />
            <TextInput label="Administrator's e-mail" placeholder="owner@example.com" value={draft.adminEmail} onChange={(e) => set('adminEmail')(e.currentTarget.value)} error={of('options.adminEmail')} />
            {draft.engine === 'woocommerce' && (
              <SimpleGrid cols={{ base: 1, sm: 2 }}>
                <Select label="Currency" searchable data={CURRENCIES} value={draft.currency} onChange={(v) => set('currency')(v ?? 'USD')} error={of('options.currency')} />
                <Select label="Country" searchable limit={80} data={COUNTRIES} value={draft.country} onChange={(v) => set('country')(v ?? 'US:CA')} error={of('options.country')} />
              </SimpleGrid>
            )}
            {draft.engine === 'woocommerce' && (
              <Switch label="Three products to begin with" checked={draft.demoProducts} onChange={(e) => set('demoProducts')(e.currentTarget.checked)} error={of('options.demoProducts')} />
            )}
            <TextInput label="Own domain" description="Point it at the cluster's ingress first" placeholder="shop.example.com" value={draft.domain} onChange={(e) => set('domain')(e.currentTarget.value)} error={of('domain')} />
          </Stack>
        </Collapse>
        {told !== null && (
          <Alert color="red" role="alert">
            {told}
          </Alert>
        )}
        {check.unchecked && told === null && (
          <Text size="sm" role="status">
            The service does not answer, so what you type cannot be checked now. It is tried again.
          </Text>
        )}
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {storesLeft(me)}
          </Text>
          <Group gap="xs">
            {!isEmpty(draft) && (
              <Button variant="subtle" color="gray" onClick={() => edit(EMPTY)} disabled={sending}>
                Empty the form
              </Button>
            )}
            <Button type="submit" loading={sending} disabled={draft.name.trim() === '' || nameProblem(draft.name) !== null || idProblem(id) !== null}>
              Create
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

function PlanCard({ plan }: { plan: Plan }) {
  return (
    <Radio.Card value={plan.name} p="sm" aria-label={plan.name}>
      <Group wrap="nowrap" align="flex-start" gap="xs">
        <Radio.Indicator />
        <div>
          <Text fw={600} size="sm">
            {plan.name}
          </Text>
          <Text size="xs" c="dimmed">
            {plan.summary}. Up to {plan.wordpress.cpuLimit} CPU, {plan.wordpress.memoryLimit} memory, {plan.wordpress.storage} files, {plan.mysql.storage} data.
          </Text>
        </div>
      </Group>
    </Radio.Card>
  );
}

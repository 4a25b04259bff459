import { Alert, Button, Collapse, Group, Radio, SegmentedControl, Select, SimpleGrid, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import { call, get, Problem, sentence } from '../api/client';
import type { Me, NewStore, Plan, Plans, Store } from '../api/types';
import { COUNTRIES, CURRENCIES } from './codes';
import { idProblem, suggestedId } from './ids';
import { storesLeft } from './limits';

interface Draft {
  name: string;
  id: string | null;
  plan: string;
  engine: string;
  domain: string;
  title: string;
  adminEmail: string;
  currency: string;
  country: string;
  demoProducts: boolean;
}

const EMPTY: Draft = {
  name: '', id: null, plan: 'small', engine: 'woocommerce', domain: '', title: '', adminEmail: '', currency: 'USD', country: 'US:CA', demoProducts: true,
};

/** Random; crypto.randomUUID() is not there over plain http. */
const newKey = (): string => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-');

function bodyOf(draft: Draft): NewStore {
  const id = draft.id ?? suggestedId(draft.name);
  const options = {
    ...(draft.title.trim() === '' ? {} : { title: draft.title }),
    ...(draft.adminEmail.trim() === '' ? {} : { adminEmail: draft.adminEmail.trim() }),
    ...(draft.engine === 'woocommerce' ? { currency: draft.currency, country: draft.country, demoProducts: draft.demoProducts } : {}),
  };
  return {
    name: draft.name,
    plan: draft.plan,
    engine: draft.engine,
    ...(id === '' ? {} : { id }),
    ...(draft.domain.trim() === '' ? {} : { domain: draft.domain.trim() }),
    options,
  } as NewStore;
}

/** The problem of each field, by the service's own checks, while somebody types. */
function useProblems(draft: Draft, enabled: boolean) {
  const [settled] = useDebouncedValue(draft, 350);
  const check = useQuery({
    queryKey: ['check', settled],
    enabled: enabled && settled.name.trim() !== '',
    retry: false,
    gcTime: 0,
    queryFn: () => call<Store>('POST', '/stores?dryRun=true', bodyOf(settled)),
  });
  return check.error;
}

function byField(error: unknown): { fields: Map<string, string>; rest: string | null } {
  if (!(error instanceof Problem)) return { fields: new Map(), rest: error ? sentence(error) : null };
  const fields = new Map(error.fields.map((f) => [f.field, f.message]));
  if (error.status === 409 && fields.size === 0) {
    fields.set(error.message.includes('domain') ? 'domain' : 'id', error.message);
  }
  return { fields, rest: fields.size === 0 ? error.message : null };
}

export default function CreateStore({ me, close }: { me: Me; close: () => void }) {
  const client = useQueryClient();
  const go = useNavigate();
  const [draft, setDraft] = useState(EMPTY);
  // One a draft: sent again after a lost answer it makes no second store.
  const [key, setKey] = useState(newKey);
  const [more, toggle] = useDisclosure(false);
  const plans = useQuery({ queryKey: ['plans'], queryFn: () => get<Plans>('/plans') });
  const checked = useProblems(draft, true);
  const create = useMutation({
    mutationFn: () => call<Store>('POST', '/stores', bodyOf(draft), { 'Idempotency-Key': key }),
    onSuccess: (store) => {
      client.setQueryData(['store', store.id], store);
      void client.invalidateQueries({ queryKey: ['stores'] });
      void client.invalidateQueries({ queryKey: ['me'] });
      close();
      void go(`/stores/${store.id}`);
    },
  });
  const set = <Name extends keyof Draft>(name: Name) => (value: Draft[Name]) => {
    create.reset();
    setKey(newKey());
    setDraft((known) => ({ ...known, [name]: value }));
  };
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const { fields, rest } = byField(create.error ?? checked);
  const id = draft.id ?? suggestedId(draft.name);
  const of = (name: string) => fields.get(name) ?? null;
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <TextInput ref={first} label="Name" required withAsterisk={false} maxLength={80} value={draft.name} onChange={(e) => set('name')(e.currentTarget.value)} error={of('name')} />
        <TextInput
          label="Id"
          description={`Its address will be store-${id || '…'}.${me.baseDomain}`}
          value={id}
          onChange={(e) => set('id')(e.currentTarget.value)}
          error={idProblem(id) ?? of('id')}
        />
        <Radio.Group label="Plan" value={draft.plan} onChange={set('plan')} error={of('plan')}>
          <SimpleGrid cols={{ base: 1, sm: 3 }} mt={4}>
            {(plans.data?.plans ?? []).map((plan) => (
              <PlanCard key={plan.name} plan={plan} />
            ))}
          </SimpleGrid>
        </Radio.Group>
        <Button variant="default" size="compact-sm" onClick={toggle.toggle} aria-expanded={more} style={{ alignSelf: 'start' }}>
          {more ? 'Fewer options' : 'More options'}
        </Button>
        <Collapse expanded={more}>
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
              <Switch label="Three products to begin with" checked={draft.demoProducts} onChange={(e) => set('demoProducts')(e.currentTarget.checked)} />
            )}
            <TextInput label="Own domain" description="Point it at the cluster's ingress first" placeholder="shop.example.com" value={draft.domain} onChange={(e) => set('domain')(e.currentTarget.value)} error={of('domain')} />
          </Stack>
        </Collapse>
        {rest !== null && (
          <Alert color="red" role="alert">
            {rest}
          </Alert>
        )}
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {storesLeft(me)}
          </Text>
          <Button type="submit" loading={create.isPending} disabled={draft.name.trim() === '' || idProblem(id) !== null}>
            Create
          </Button>
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

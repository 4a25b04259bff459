import { Alert, Button, Group, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';

import { call, get, Problem, sentence } from '../api/client';
import { toldBy } from '../api/fields';
import type { Plans, Store, StorePatch } from '../api/types';
import { newer } from '../live/cache';
import { COUNTRIES, CURRENCIES } from '../stores/codes';
import { nameProblem } from '../stores/names';

interface Draft {
  name: string;
  plan: string;
  domain: string;
  wordpress: string;
  mysql: string;
  title: string;
  adminEmail: string;
  currency: string;
  country: string;
  demoProducts: boolean;
}

const draftOf = (store: Store): Draft => ({
  name: store.name,
  plan: store.plan,
  domain: store.domain ?? '',
  wordpress: store.versions.wordpress,
  mysql: store.versions.mysql,
  title: store.options.title,
  adminEmail: store.options.adminEmail,
  currency: store.options.currency,
  country: store.options.country,
  demoProducts: store.options.demoProducts,
});

const FIELDS = ['name', 'plan', 'domain', 'versions.wordpress', 'versions.mysql', 'options.title', 'options.adminEmail'];
const SHOP_FIELDS = ['options.currency', 'options.country', 'options.demoProducts'];

/** What differs, as a JSON merge patch. */
function patchOf(before: Draft, typed: Draft): StorePatch {
  const draft = { ...typed, adminEmail: typed.adminEmail.trim(), wordpress: typed.wordpress.trim(), mysql: typed.mysql.trim() };
  const changed = <Name extends keyof Draft>(name: Name) => (draft[name] === before[name] ? {} : { [name]: draft[name] });
  const versions = { ...changed('wordpress'), ...changed('mysql') };
  const options = { ...changed('title'), ...changed('adminEmail'), ...changed('currency'), ...changed('country'), ...changed('demoProducts') };
  return {
    ...changed('name'),
    ...changed('plan'),
    ...(draft.domain === before.domain ? {} : { domain: draft.domain.trim() === '' ? null : draft.domain.trim() }),
    ...(Object.keys(versions).length === 0 ? {} : { versions }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  } as StorePatch;
}

export default function EditForm({ store, close }: { store: Store; close: () => void }) {
  const client = useQueryClient();
  // What the form began with: a change that somebody else makes meanwhile is not overwritten unseen.
  const [base, setBase] = useState(store);
  const before = draftOf(base);
  const [draft, setDraft] = useState(before);
  const plans = useQuery({ queryKey: ['plans'], queryFn: () => get<Plans>('/plans') });
  const patch = patchOf(before, draft);
  const keep = (told: Store) => client.setQueryData<Store>(['store', store.id], (known) => (known ? newer(known, told) : told));
  const change = useMutation({
    mutationFn: () => call<Store>('PATCH', `/stores/${store.id}`, patch, { 'If-Match': `"${base.generation}"` }),
    onSuccess: (told) => {
      keep(told);
      close();
    },
  });
  const load = useMutation({
    mutationFn: () => get<Store>(`/stores/${store.id}`),
    onSuccess: (told) => {
      keep(told);
      setBase(told);
      setDraft(draftOf(told));
      change.reset();
    },
  });
  const set = <Name extends keyof Draft>(name: Name) => (value: Draft[Name]) => {
    // That somebody changed the store stays true whatever is typed.
    if (!overtaken) change.reset();
    setDraft((known) => ({ ...known, [name]: value }));
  };
  const shop = store.engine === 'woocommerce';
  const overtaken = change.error instanceof Problem && change.error.status === 412;
  const { of, rest } = toldBy(change.error, new Set([...FIELDS, ...(shop ? SHOP_FIELDS : [])]));
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <Select
          label="Plan"
          data={(plans.data?.plans ?? []).map((p) => ({ value: p.name, label: `${p.name}: ${p.summary}` }))}
          value={draft.plan}
          onChange={(v) => set('plan')(v ?? draft.plan)}
          allowDeselect={false}
          error={of('plan')}
        />
        <TextInput label="Name" value={draft.name} onChange={(e) => set('name')(e.currentTarget.value)} error={nameProblem(draft.name) ?? of('name')} />
        <TextInput label="Own domain" value={draft.domain} onChange={(e) => set('domain')(e.currentTarget.value)} error={of('domain')} />
        <TextInput label="Title" value={draft.title} onChange={(e) => set('title')(e.currentTarget.value)} error={of('options.title')} />
        <TextInput label="Administrator's e-mail" value={draft.adminEmail} onChange={(e) => set('adminEmail')(e.currentTarget.value)} error={of('options.adminEmail')} />
        {shop && <Select label="Currency" searchable data={CURRENCIES} value={draft.currency} onChange={(v) => set('currency')(v ?? draft.currency)} error={of('options.currency')} />}
        {shop && <Select label="Country" searchable limit={80} data={COUNTRIES} value={draft.country} onChange={(v) => set('country')(v ?? draft.country)} error={of('options.country')} />}
        {shop && <Switch label="Demo products" checked={draft.demoProducts} onChange={(e) => set('demoProducts')(e.currentTarget.checked)} error={of('options.demoProducts')} />}
        <Group grow align="flex-start">
          <TextInput label="WordPress" description="Version: the image's tag" value={draft.wordpress} onChange={(e) => set('wordpress')(e.currentTarget.value)} error={of('versions.wordpress')} />
          <TextInput label="MySQL" description="Version: the image's tag" value={draft.mysql} onChange={(e) => set('mysql')(e.currentTarget.value)} error={of('versions.mysql')} />
        </Group>
        <Text size="xs" c="dimmed">
          {store.readyAt === null
            ? 'The store is made with the change, from where it stands.'
            : 'The shop restarts with the change, which takes some seconds. If it fails, the shop goes back to what it was.'}
        </Text>
        {overtaken ? (
          <Alert color="orange" role="alert">
            <Stack gap="xs" align="flex-start">
              <Text size="sm">Somebody changed this store meanwhile, and nothing of yours was done. What you typed is replaced by what it is now if you load it.</Text>
              {load.isError && <Text size="sm">{sentence(load.error)}</Text>}
              <Button size="xs" variant="default" loading={load.isPending} onClick={() => load.mutate()}>
                Load what it is now
              </Button>
            </Stack>
          </Alert>
        ) : (
          rest !== null && (
            <Alert color="red" role="alert">
              {rest}
            </Alert>
          )
        )}
        <Button type="submit" loading={change.isPending} disabled={Object.keys(patch).length === 0 || nameProblem(draft.name) !== null || overtaken}>
          Change it
        </Button>
      </Stack>
    </form>
  );
}

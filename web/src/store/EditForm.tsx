import { Alert, Button, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';

import { call, get, Problem, sentence } from '../api/client';
import type { Plans, Store, StorePatch } from '../api/types';
import { COUNTRIES, CURRENCIES } from '../stores/codes';

interface Draft {
  name: string;
  plan: string;
  domain: string;
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
  title: store.options.title,
  adminEmail: store.options.adminEmail,
  currency: store.options.currency,
  country: store.options.country,
  demoProducts: store.options.demoProducts,
});

/** What differs, as a JSON merge patch. */
function patchOf(before: Draft, draft: Draft): StorePatch {
  const changed = <Name extends keyof Draft>(name: Name) => (draft[name] === before[name] ? {} : { [name]: draft[name] });
  const options = { ...changed('title'), ...changed('adminEmail'), ...changed('currency'), ...changed('country'), ...changed('demoProducts') };
  return {
    ...changed('name'),
    ...changed('plan'),
    ...(draft.domain === before.domain ? {} : { domain: draft.domain.trim() === '' ? null : draft.domain.trim() }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  } as StorePatch;
}

export default function EditForm({ store, close }: { store: Store; close: () => void }) {
  const client = useQueryClient();
  const [before] = useState(() => draftOf(store));
  const [etag] = useState(() => `"${store.generation}"`);
  const [draft, setDraft] = useState(before);
  const plans = useQuery({ queryKey: ['plans'], queryFn: () => get<Plans>('/plans') });
  const patch = patchOf(before, draft);
  const change = useMutation({
    mutationFn: () => call<Store>('PATCH', `/stores/${store.id}`, patch, { 'If-Match': etag }),
    onSuccess: (told) => {
      client.setQueryData(['store', store.id], told);
      close();
    },
  });
  const set = <Name extends keyof Draft>(name: Name) => (value: Draft[Name]) => {
    change.reset();
    setDraft((known) => ({ ...known, [name]: value }));
  };
  const problem = change.error instanceof Problem ? change.error : null;
  const of = (field: string) => problem?.fields.find((f) => f.field === field)?.message ?? null;
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate();
  };
  const shop = store.engine === 'woocommerce';
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
        <TextInput label="Name" value={draft.name} onChange={(e) => set('name')(e.currentTarget.value)} error={of('name')} />
        <TextInput label="Own domain" value={draft.domain} onChange={(e) => set('domain')(e.currentTarget.value)} error={of('domain')} />
        <TextInput label="Title" value={draft.title} onChange={(e) => set('title')(e.currentTarget.value)} error={of('options.title')} />
        <TextInput label="Administrator's e-mail" value={draft.adminEmail} onChange={(e) => set('adminEmail')(e.currentTarget.value)} error={of('options.adminEmail')} />
        {shop && <Select label="Currency" searchable data={CURRENCIES} value={draft.currency} onChange={(v) => set('currency')(v ?? draft.currency)} />}
        {shop && <Select label="Country" searchable limit={80} data={COUNTRIES} value={draft.country} onChange={(v) => set('country')(v ?? draft.country)} />}
        {shop && <Switch label="Demo products" checked={draft.demoProducts} onChange={(e) => set('demoProducts')(e.currentTarget.checked)} />}
        <Text size="xs" c="dimmed">
          The shop restarts with the change, which takes some seconds. If it fails, the shop goes back to what it was.
        </Text>
        {change.isError && (problem === null || problem.fields.length === 0) && (
          <Alert color="red" role="alert">
            {problem?.status === 412 ? 'Somebody changed this store meanwhile. Close this and look again.' : sentence(change.error)}
          </Alert>
        )}
        <Button type="submit" loading={change.isPending} disabled={Object.keys(patch).length === 0}>
          Change it
        </Button>
      </Stack>
    </form>
  );
}

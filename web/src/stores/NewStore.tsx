/** A new store, above all views: the dialog, a draft that is not sent, one whose answer is awaited, one that was refused. */
import { Alert, Button, Group, Modal, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { call, sentence } from '../api/client';
import type { Me, Store } from '../api/types';
import { lazyAgain, whenQuiet } from '../ui/lazyAgain';
import { bodyOf, type Draft, EMPTY, type Form, formOf } from './draft';

const CreateStore = lazyAgain(() => import('./CreateStore'), { h: '20rem', part: true });

const Open = createContext<(() => void) | null>(null);

/** What opens the dialog. */
export function useNewStore(): () => void {
  const open = useContext(Open);
  if (open === null) throw new Error('There is no NewStore above this');
  return open;
}

export function NewStore({ me, children }: { me: Me; children: ReactNode }) {
  const client = useQueryClient();
  const go = useNavigate();
  const { pathname } = useLocation();
  const [openedAt, setOpenedAt] = useState<string | null>(null);
  const opened = openedAt === pathname;
  if (openedAt !== null && !opened) setOpenedAt(null); // whoever goes elsewhere leaves it
  const [form, setForm] = useState(() => formOf(EMPTY));
  const [refused, setRefused] = useState<{ form: Form; why: string } | null>(null);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    shown.current = opened ? form.key : null;
  }, [opened, form.key]);
  useEffect(() => whenQuiet(CreateStore.preload), []);
  const open = () => setOpenedAt(pathname);
  const close = () => setOpenedAt(null);
  /** The next draft is another. */
  const done = (sent: Form) => setForm((now) => (now.key === sent.key ? formOf(EMPTY) : now));
  const create = useMutation({
    mutationFn: ({ draft, key }: Form) => call<Store>('POST', '/stores', bodyOf(draft), { 'Idempotency-Key': key }),
    onSuccess: (store, sent) => {
      client.setQueryData(['store', store.id], store);
      void client.invalidateQueries({ queryKey: ['stores'] });
      void client.invalidateQueries({ queryKey: ['me'] });
      done(sent);
      // Whoever closed the dialog does something else by now.
      if (shown.current === sent.key) void go(`/stores/${store.id}`);
    },
    onError: (error, sent) => {
      if (shown.current === sent.key) return;
      setRefused({ form: sent, why: sentence(error) });
      done(sent);
    },
  });
  const mine = create.variables?.key === form.key;
  const sending = mine && create.isPending;
  const edit = (draft: Draft) => {
    if (!sending) setForm(formOf(draft));
  };
  const leave = () => {
    if (sending) setForm(formOf(EMPTY)); // it goes its way
    close();
  };
  const restore = (lost: Form) => {
    setForm(lost);
    setRefused(null);
    open();
  };
  return (
    <Open.Provider value={open}>
      {refused !== null && (
        <Alert color="red" role="alert" mb="md" aria-label={`“${refused.form.draft.name}” was not made`} withCloseButton closeButtonLabel="Dismiss" onClose={() => setRefused(null)}>
          <Group justify="space-between">
            <div>
              <Text size="sm" fw={600}>
                “<bdi>{refused.form.draft.name}</bdi>” was not made
              </Text>
              <Text size="sm">{refused.why}</Text>
            </div>
            <Button size="xs" variant="default" onClick={() => restore(refused.form)}>
              Open it again
            </Button>
          </Group>
        </Alert>
      )}
      {children}
      <Modal opened={opened} onClose={leave} title="New store" size="lg">
        {opened && <CreateStore me={me} draft={form.draft} edit={edit} send={() => create.mutate(form)} sending={sending} error={mine ? create.error : null} />}
      </Modal>
    </Open.Provider>
  );
}

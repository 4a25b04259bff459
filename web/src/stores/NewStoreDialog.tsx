import { Alert, Button, Group, Modal, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import { call, sentence } from '../api/client';
import type { Me, Store } from '../api/types';
import { lazyAgain, whenQuiet } from '../ui/lazyAgain';
import { bodyOf, type Draft, EMPTY, type Form, formOf } from './draft';

const CreateStore = lazyAgain(() => import('./CreateStore'), { h: '20rem', part: true });

interface Props {
  me: Me;
  opened: boolean;
  open: () => void;
  close: () => void;
}

/** The dialog, and what outlives it: a draft that is not sent, and one whose answer is awaited. */
export function NewStoreDialog({ me, opened, open, close }: Props) {
  const client = useQueryClient();
  const go = useNavigate();
  const [form, setForm] = useState(() => formOf(EMPTY));
  const [refused, setRefused] = useState<{ form: Form; why: string } | null>(null);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    shown.current = opened ? form.key : null;
    return () => {
      shown.current = null;
    };
  }, [opened, form.key]);
  useEffect(() => whenQuiet(CreateStore.preload), []);
  const create = useMutation({
    mutationFn: ({ draft, key }: Form) => call<Store>('POST', '/stores', bodyOf(draft), { 'Idempotency-Key': key }),
    onSuccess: (store, sent) => {
      client.setQueryData(['store', store.id], store);
      void client.invalidateQueries({ queryKey: ['stores'] });
      void client.invalidateQueries({ queryKey: ['me'] });
      // Whoever closed the dialog does something else by now.
      if (shown.current !== sent.key) return;
      setForm(formOf(EMPTY));
      close();
      void go(`/stores/${store.id}`);
    },
    onError: (error, sent) => {
      if (shown.current !== sent.key) setRefused({ form: sent, why: sentence(error) });
    },
  });
  const mine = create.variables?.key === form.key;
  const sending = mine && create.isPending;
  const edit = (draft: Draft) => {
    if (!sending) setForm(formOf(draft));
  };
  const leave = () => {
    if (sending) setForm(formOf(EMPTY)); // it goes its way; the next draft is another
    close();
  };
  const restore = (lost: Form) => {
    setForm(lost);
    setRefused(null);
    open();
  };
  return (
    <>
      {refused !== null && (
        <Alert color="red" role="alert" title={`“${refused.form.draft.name}” was not made`} withCloseButton closeButtonLabel="Dismiss" onClose={() => setRefused(null)}>
          <Group justify="space-between">
            <Text size="sm">{refused.why}</Text>
            <Button size="xs" variant="default" onClick={() => restore(refused.form)}>
              Open it again
            </Button>
          </Group>
        </Alert>
      )}
      <Modal opened={opened} onClose={leave} title="New store" size="lg">
        {opened && <CreateStore me={me} draft={form.draft} edit={edit} send={() => create.mutate(form)} sending={sending} error={mine ? create.error : null} />}
      </Modal>
    </>
  );
}

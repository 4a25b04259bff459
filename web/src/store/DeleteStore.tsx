import { Alert, Button, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';

import { call, Problem, sentence } from '../api/client';
import type { Store } from '../api/types';

export function DeleteStore({ store }: { store: Store }) {
  const client = useQueryClient();
  const [opened, dialog] = useDisclosure(false);
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => call<Store>('DELETE', `/stores/${store.id}`),
    onSuccess: (told) => {
      client.setQueryData(['store', store.id], told);
      dialog.close();
    },
    onError: (error) => {
      // It went meanwhile: the page says so.
      if (error instanceof Problem && error.status === 404) void client.invalidateQueries({ queryKey: ['store', store.id] });
    },
  });
  const open = () => {
    setTyped('');
    remove.reset();
    dialog.open();
  };
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    if (typed === store.id) remove.mutate();
  };
  return (
    <>
      <Button size="sm" variant="outline" color="red" onClick={open}>
        Delete
      </Button>
      <Modal opened={opened} onClose={dialog.close} title="Delete this store?">
        <form onSubmit={send}>
          <Stack>
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              Shop, orders, files and passwords of “<bdi>{store.name}</bdi>” go, and do not come back.
            </Text>
            <TextInput label={`Type ${store.id} to confirm`} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" data-autofocus />
            {remove.isError && (
              <Alert color="red" role="alert">
                {sentence(remove.error)}
              </Alert>
            )}
            <Button type="submit" color="red" disabled={typed !== store.id} loading={remove.isPending}>
              Delete the store
            </Button>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { lazy, Suspense } from 'react';

import type { Store } from '../api/types';
import { Waiting } from '../ui/Waiting';

const EditForm = lazy(() => import('./EditForm'));

export function EditStore({ store }: { store: Store }) {
  const [opened, dialog] = useDisclosure(false);
  return (
    <>
      <Button size="sm" variant="default" onClick={dialog.open}>
        Change
      </Button>
      <Modal opened={opened} onClose={dialog.close} title={`Change ${store.name}`}>
        <Suspense fallback={<Waiting h="20rem" />}>{opened && <EditForm store={store} close={dialog.close} />}</Suspense>
      </Modal>
    </>
  );
}

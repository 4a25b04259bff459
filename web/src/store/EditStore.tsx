import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useEffect } from 'react';

import type { Store } from '../api/types';
import { afterFirstSight, lazyAgain } from '../ui/lazyAgain';

const EditForm = lazyAgain(() => import('./EditForm'), { h: '47rem', part: true });

export function EditStore({ store }: { store: Store }) {
  const [opened, dialog] = useDisclosure(false);
  useEffect(() => afterFirstSight(EditForm.preload), []);
  return (
    <>
      <Button size="sm" variant="default" onClick={dialog.open}>
        Change
      </Button>
      <Modal opened={opened} onClose={dialog.close} title={`Change ${store.name}`}>
        {opened && <EditForm store={store} close={dialog.close} />}
      </Modal>
    </>
  );
}

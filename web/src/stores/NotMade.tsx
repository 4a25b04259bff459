import { Button } from '@mantine/core';

import { Notice } from '../session/Notice';
import { useNewStore } from './NewStore';

/** The stores that were not made although somebody began them: told wherever one is meanwhile. */
export function NotMade() {
  const { asides, restore, dismiss } = useNewStore();
  return asides.map(({ form, why }) => {
    const { name } = form.draft;
    const nameless = name.trim() === '';
    return (
      <Notice
        key={form.key}
        role="alert"
        name={nameless ? 'A store without a name was not made' : `“${name}” was not made`}
        title={nameless ? undefined : <>“<bdi>{name}</bdi>” was not made</>}
        text={why}
      >
        <Button size="xs" variant="default" onClick={() => restore(form)}>
          Open it again
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={() => dismiss(form)}>
          Dismiss
        </Button>
      </Notice>
    );
  });
}

import { Alert, Loader, Text } from '@mantine/core';

import { sentence } from '../api/client';
import type { Store } from '../api/types';
import { useEvidence } from './useStore';

/** What a failed revision left: why first, then everything as it was seen. */
export function Evidence({ store }: { store: Store }) {
  const evidence = useEvidence(store.id, store.revision);
  return (
    <Alert color="red" title={`Revision ${store.revision} failed`} role="alert">
      <Text size="sm" mb="sm">
        {store.message}
      </Text>
      {evidence.isPending && <Loader size="sm" aria-label="Loading" />}
      {evidence.isError && <Text size="sm">{sentence(evidence.error)}</Text>}
      {evidence.data && (
        <details>
          <summary>What was seen when it failed</summary>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: WCAG 2.1.1 */}
          <pre className="log evidence" tabIndex={0} role="region" aria-label="Evidence">
            {JSON.stringify(evidence.data, null, 2)}
          </pre>
        </details>
      )}
    </Alert>
  );
}

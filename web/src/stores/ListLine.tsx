import { Button, Group, Loader, Text } from '@mantine/core';

import type { Store } from '../api/types';
import type { Choice } from './useChosen';
import type { StoreList } from './useStores';

const NUMBER = new Intl.NumberFormat();

/** How many stores there are as far as is known, and what is chosen of them. */
export function ListLine({ list, stores, choice }: { list: StoreList; stores: readonly Store[]; choice: Choice }) {
  const chosen = stores.filter((s) => choice.chosen.has(s.id)).length;
  const all = chosen === stores.length && list.hasNextPage;
  return (
    <Group justify="space-between" px="sm" py={6} gap="xs" mih="2.4rem">
      <Group gap="xs">
        {list.isPlaceholderData && <Loader size="xs" aria-hidden />}
        <Text size="sm" c="dimmed" aria-live="polite">
          {list.isPlaceholderData ? 'Searching… these are from before' : count(stores.length, !list.hasNextPage)}
        </Text>
      </Group>
      {choice.gathering ? (
        <Group gap="xs">
          <Text size="sm">Reading the rest to choose it…</Text>
          <Button size="compact-sm" variant="default" onClick={() => choice.choose(choice.chosen)}>
            Stop
          </Button>
        </Group>
      ) : (
        all && !list.isPlaceholderData && (
          <Group gap="xs">
            <Text size="sm">{NUMBER.format(chosen)} chosen of those shown so far.</Text>
            <Button size="compact-sm" variant="default" onClick={choice.gather}>
              Choose all that match
            </Button>
          </Group>
        )
      )}
    </Group>
  );
}

function count(read: number, whole: boolean): string {
  if (!whole) return `${NUMBER.format(read)} stores and more`;
  return read === 1 ? '1 store' : `${NUMBER.format(read)} stores`;
}

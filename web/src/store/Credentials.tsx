import { Alert, Button, Code, CopyButton, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';

import { call, Problem, sentence } from '../api/client';
import type { Credentials as Found, Store } from '../api/types';

const SHOWN = 60_000;

/** Although it is a POST, for the sake of the timeline, nothing is changed by it. */
const whyNot = (error: Error): string =>
  error instanceof Problem && error.status === 0 ? 'The service does not answer, so they could not be read. Try again when it is back.' : sentence(error);

/** The administrator's name and password: behind a click, and gone after a minute. */
export function Credentials({ store }: { store: Store }) {
  const read = useMutation({ mutationFn: () => call<Found>('POST', `/stores/${store.id}/credentials`), gcTime: 0 });
  const { data, reset } = read;
  useEffect(() => {
    if (!data) return undefined;
    const timer = setTimeout(reset, SHOWN);
    return () => clearTimeout(timer);
  }, [data, reset]);
  return (
    <Stack gap="sm">
      <Title order={2} size="h5">
        The shop's administrator
      </Title>
      {data ? (
        <>
          <Secret name="User" value={data.username} />
          <Secret name="Password" value={data.password} />
          <Group justify="space-between">
            <Text size="xs" c="dimmed">
              Hidden again after a minute.
            </Text>
            <Button size="compact-xs" variant="default" onClick={reset}>
              Hide
            </Button>
          </Group>
        </>
      ) : (
        <>
          <Text size="sm" c="dimmed">
            Name and password are kept in the cluster. The timeline says who read them.
          </Text>
          <Button variant="default" loading={read.isPending} onClick={() => read.mutate()} disabled={store.phase === 'Deleting'}>
            Show credentials
          </Button>
          {read.isError && (
            <Alert color="red" role="alert" py="xs">
              {whyNot(read.error)}
            </Alert>
          )}
        </>
      )}
    </Stack>
  );
}

function Secret({ name, value }: { name: string; value: string }) {
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm" c="dimmed" w={80}>
        {name}
      </Text>
      <Code style={{ flex: 1, overflowWrap: 'anywhere' }}>{value}</Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy} aria-label={`Copy ${name.toLowerCase()}`}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}

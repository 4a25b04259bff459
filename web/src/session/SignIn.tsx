import { Alert, Button, Center, Code, Paper, PasswordInput, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';

import { call, sentence } from '../api/client';
import type { Me } from '../api/types';
import { ViewTitle } from '../ui/ViewTitle';
import { take } from './person';

export default function SignIn({ problem }: { problem: string | null }) {
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const signIn = useMutation({
    mutationFn: () => call<Me>('POST', '/session', { token: token.trim() }),
    onSuccess: (me) => take(client, me),
  });
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={440} component="form" onSubmit={send}>
        <Stack>
          <ViewTitle name="Sign in">Urumi Stores</ViewTitle>
          <Text c="dimmed" size="sm">
            A shop of their own for whoever asks. Sign in with your API token.
          </Text>
          {problem !== null && (
            <Alert color="orange" role="alert">
              {problem}
            </Alert>
          )}
          <PasswordInput
            label="Token"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={token}
            onChange={(e) => setToken(e.currentTarget.value)}
            error={signIn.isError ? sentence(signIn.error) : null}
            data-autofocus
          />
          <Button type="submit" loading={signIn.isPending} disabled={token.trim() === ''}>
            Sign in
          </Button>
          <Text size="xs" c="dimmed">
            On the machine that runs the service, <Code>urumi login-link</Code> prints a link that signs you in.
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}

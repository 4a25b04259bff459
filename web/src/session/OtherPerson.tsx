import { Button, Center, Group, Paper, Stack, Text } from '@mantine/core';

import type { Me } from '../api/types';
import { ViewTitle } from '../ui/ViewTitle';
import type { LoginLink } from './useLoginLink';

/** Asked before a log-in link ends the session of whoever is signed in. */
export function OtherPerson({ me, link }: { me: Me; link: LoginLink }) {
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <Stack>
          <ViewTitle name="Sign in by this link?">Sign in by this link instead?</ViewTitle>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            You are signed in as {me.user}. The link ends this session, in every tab of this browser.
          </Text>
          <Group>
            <Button onClick={link.use} loading={link.using}>
              Sign in by the link
            </Button>
            <Button variant="default" onClick={link.leave} disabled={link.using}>
              Stay {me.user}
            </Button>
          </Group>
        </Stack>
      </Paper>
    </Center>
  );
}

import { Alert, Anchor, Badge, Box, Button, Group, Menu, Text, Tooltip, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, NavLink } from 'react-router';

import type { Me } from '../api/types';
import type { FeedState } from '../live/feed';
import { useFeedState } from '../live/Live';
import { useSignOut } from '../session/useSignOut';

const STATES: Record<FeedState, { word: string; colour: string; meaning: string }> = {
  connecting: { word: 'connecting', colour: 'gray.6', meaning: 'Connecting to the service' },
  live: { word: 'live', colour: 'teal.6', meaning: 'What you see is current' },
  stale: { word: 'stale', colour: 'orange.6', meaning: 'The service is not heard of: what you see may be old. It goes on by itself.' },
};

export function Frame({ me, children }: { me: Me; children: ReactNode }) {
  return (
    <>
      <header className="top">
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" component="nav" aria-label="Main">
          <Group gap="lg" wrap="nowrap">
            <Anchor component={Link} to="/stores" fw={700} c="var(--mantine-color-text)" underline="never">
              Urumi Stores
            </Anchor>
            <Group gap="xs" wrap="nowrap" visibleFrom="xs">
              <Place to="/stores">Stores</Place>
              {me.role === 'admin' && <Place to="/operator">Operator</Place>}
            </Group>
          </Group>
          <Group gap="sm" wrap="nowrap">
            <Freshness />
            <Person me={me} />
          </Group>
        </Group>
      </header>
      <Box component="main" maw={1240} mx="auto" p="md">
        {me.sandbox && (
          <Alert color="orange" variant="light" mb="md" py="xs" role="note">
            <Text span inherit fw={700}>
              A simulation.
            </Text>{' '}
            This service runs on its embedded sandbox: stores come to health here, but nobody can shop in them.
          </Alert>
        )}
        {children}
      </Box>
    </>
  );
}

function Place({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Button component={NavLink} to={to} variant="subtle" color="gray" size="compact-md" c="var(--mantine-color-text)">
      {children}
    </Button>
  );
}

function Freshness() {
  const { word, colour, meaning } = STATES[useFeedState()];
  return (
    <Tooltip label={meaning} multiline maw={260}>
      <Badge color={colour} variant="dot" size="lg" role="status" aria-label={meaning} tt="none">
        {word}
      </Badge>
    </Tooltip>
  );
}

function Person({ me }: { me: Me }) {
  const { setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account of ${me.user}`} maw={160}>
          <Text size="sm" className="cut">
            {me.user} ▾
          </Text>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.role}, {me.use.stores} {me.limits.stores === null ? 'stores' : `of ${me.limits.stores} stores`}
        </Menu.Label>
        <Menu.Item component={Link} to="/stores" hiddenFrom="xs">
          Stores
        </Menu.Item>
        {me.role === 'admin' && (
          <Menu.Item component={Link} to="/operator" hiddenFrom="xs">
            Operator
          </Menu.Item>
        )}
        <Menu.Item onClick={() => setColorScheme('light')}>Light</Menu.Item>
        <Menu.Item onClick={() => setColorScheme('dark')}>Dark</Menu.Item>
        <Menu.Item onClick={() => setColorScheme('auto')}>As the system</Menu.Item>
        <Menu.Divider />
        <Menu.Item component="a" href="/api/v1/docs">
          The API, explained
        </Menu.Item>
        <Menu.Item onClick={() => signOut.mutate()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

import { Group, Paper, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  name: string;
  /** The name as it is drawn, where that differs. */
  title?: ReactNode;
  text: string;
  role?: 'group' | 'alert';
  /** What can be done about it. */
  children: ReactNode;
}

/** One thing on the shelf that somebody should know. */
export function Notice({ name, title = name, text, role = 'group', children }: Props) {
  return (
    <Paper withBorder shadow="md" p="sm" role={role} aria-label={name} style={{ borderInlineStart: '4px solid var(--mantine-color-orange-7)', overflowWrap: 'anywhere' }}>
      <Group justify="space-between" gap="xs">
        <div style={{ flex: '1 1 14rem', minWidth: 0 }}>
          <Text size="sm" fw={600}>
            {title}
          </Text>
          <Text size="sm">{text}</Text>
        </div>
        <Group gap="xs">{children}</Group>
      </Group>
    </Paper>
  );
}

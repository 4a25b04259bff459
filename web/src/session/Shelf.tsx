import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';

/** Below whatever view is shown, and in sight: it has room of its own and covers nothing for good. Where it is long it scrolls. */
export function Shelf({ children }: { children: ReactNode }) {
  return (
    <Stack gap="xs" maw={560} mah="60dvh" ml="auto" mt="md" pos="sticky" bottom="var(--mantine-spacing-sm)" style={{ zIndex: 50, overflow: 'auto' }} aria-live="polite">
      {children}
    </Stack>
  );
}

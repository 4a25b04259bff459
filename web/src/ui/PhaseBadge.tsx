import { Badge } from '@mantine/core';

import type { Phase } from '../api/types';
import { PHASE_COLOURS } from './theme';

export function PhaseBadge({ phase }: { phase: Phase }) {
  return (
    <Badge color={`${PHASE_COLOURS[phase]}.6`} variant="dot" tt="none" data-phase={phase} style={{ flexShrink: 0 }}>
      {phase}
    </Badge>
  );
}

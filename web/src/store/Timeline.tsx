import { Badge, Text, Timeline as Line } from '@mantine/core';

import type { Entry } from '../api/types';
import { Trouble } from '../ui/Trouble';
import { moment } from '../ui/words';
import { useEvents } from './useStore';
import { Waiting } from '../ui/Waiting';

const COLOURS: Record<Entry['severity'], string> = { info: 'gray.6', warning: 'orange.6', error: 'red.6' };

export function Timeline({ id }: { id: string }) {
  const events = useEvents(id);
  if (events.isPending)
    return <Waiting h={160} part />;
  if (!events.data) return <Trouble part error={events.error} again={() => void events.refetch()} />;
  if (events.data.length === 0) return <Text c="dimmed">Nothing has happened yet.</Text>;
  return (
    <Line bulletSize={14} lineWidth={2}>
      {[...events.data].reverse().map((entry) => (
        <Line.Item key={entry.seq} className="entry" color={COLOURS[entry.severity]} title={<Head entry={entry} />}>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {entry.message}
          </Text>
          {entry.object !== null && (
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {entry.object}
            </Text>
          )}
        </Line.Item>
      ))}
    </Line>
  );
}

function Head({ entry }: { entry: Entry }) {
  return (
    <Text size="xs" c="dimmed" span>
      <time dateTime={entry.time}>{moment(entry.time)}</time>{' '}
      {entry.severity !== 'info' && (
        <Badge size="xs" color={COLOURS[entry.severity]} variant="dot" tt="none">
          {entry.severity}
        </Badge>
      )}{' '}
      {entry.reason}
    </Text>
  );
}

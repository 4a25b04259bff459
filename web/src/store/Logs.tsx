import { Alert, Group, SegmentedControl, Switch, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';

import { sentence, text } from '../api/client';
import { Stream } from '../live/stream';

const PARTS = [
  { value: 'wordpress', label: 'WordPress' },
  { value: 'database', label: 'Database' },
  { value: 'wp-cron', label: 'Cron' },
];
const MOST = 2000;
const STOPPED = 'The log has stopped; it goes on when the service is back.';

interface Line {
  pod: string;
  container: string;
  line: string;
}

export function Logs({ id }: { id: string }) {
  const [component, setComponent] = useState('wordpress');
  const [follow, setFollow] = useState(true);
  return (
    <>
      <Group mb="sm" justify="space-between">
        <SegmentedControl aria-label="Component" data={PARTS} value={component} onChange={setComponent} />
        <Switch label="Follow" checked={follow} onChange={(e) => setFollow(e.currentTarget.checked)} />
      </Group>
      <Lines key={`${component} ${String(follow)}`} id={id} component={component} follow={follow} />
    </>
  );
}

function Lines({ id, component, follow }: { id: string; component: string; follow: boolean }) {
  const [lines, setLines] = useState<string[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const path = `/stores/${encodeURIComponent(id)}/logs?component=${component}&tail=300`;
    if (!follow) {
      text(path)
        .then((all) => setLines(all.split('\n').filter((line) => line !== '')))
        .catch((error: unknown) => setProblem(sentence(error)));
      return undefined;
    }
    const stream = new Stream(`${path}&follow=1`, {
      opened: () => {
        setProblem(null);
        setLines([]);
      },
      event: (type, data) => {
        if (type !== 'log') return;
        const told = JSON.parse(data) as Line;
        setLines((known) => [...known.slice(1 - MOST), `[${told.pod}/${told.container}] ${told.line}`]);
      },
      changed: (state) => {
        if (state === 'stale') setProblem((known) => known ?? STOPPED);
      },
      failed: (problem, again) => setProblem(again ? `${problem === null ? '' : `${problem.message}. `}${STOPPED}` : sentence(problem)),
    });
    stream.start();
    return () => stream.stop();
  }, [id, component, follow]);
  useEffect(() => {
    const element = box.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [lines]);
  return (
    <>
      {problem !== null && (
        <Alert color="orange" mb="sm" py="xs" role="status">
          {problem}
        </Alert>
      )}
      <pre
        ref={box}
        className="log"
        role="log"
        aria-label="Log"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: WCAG 2.1.1
        tabIndex={0}
        onScroll={(e) => {
          const { scrollTop, scrollHeight, clientHeight } = e.currentTarget;
          atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
        }}
      >
        {lines.length === 0 ? <Text c="dimmed" span inherit>Nothing was said yet.</Text> : lines.join('\n')}
      </pre>
    </>
  );
}

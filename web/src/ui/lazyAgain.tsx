import { Alert, Button, Group, Stack, Title } from '@mantine/core';
import { type ComponentType, type FunctionComponent, useCallback, useEffect, useState } from 'react';

import { Waiting } from './Waiting';

interface Options {
  /** The room that is kept while it is on its way. */
  h: number | string;
  /** Inside of a page that has its heading. */
  part?: boolean;
}

type Lazy<Props> = FunctionComponent<Props> & {
  /** Have it at hand before somebody asks; that it did not come now means nothing. */
  preload: () => void;
};

/**
 * A component whose code comes when it is needed. Unlike React.lazy, which keeps a failure for ever, it
 * is asked for again: by whoever shows it next, and by a button in its place. Nothing around it is lost.
 */
export function lazyAgain<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>, { h, part = false }: Options): Lazy<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<ComponentType<Props>> | null = null;
  const ask = () => {
    loading ??= load().then(
      ({ default: component }) => (loaded = component),
      (error: unknown) => {
        loading = null;
        throw error;
      },
    );
    return loading;
  };

  function Shown(props: Props) {
    const [Found, setFound] = useState(() => loaded);
    const [failed, setFailed] = useState(false);
    const fetch = useCallback(() => {
      ask().then(
        (component) => setFound(() => component),
        () => setFailed(true),
      );
    }, []);
    useEffect(() => {
      if (Found === null) fetch();
    }, [Found, fetch]);
    const again = () => {
      setFailed(false);
      fetch();
    };
    if (Found !== null) return <Found {...props} />;
    return failed ? <NotLoaded part={part} again={again} /> : <Waiting h={h} part={part} />;
  }

  return Object.assign(Shown, { preload: () => void ask().catch(() => undefined) });
}

function NotLoaded({ part, again }: { part: boolean; again: () => void }) {
  return (
    <Stack align="center" justify="center" p="md" mih={part ? 160 : '40dvh'}>
      {!part && (
        <Title order={1} size="h4">
          That did not work
        </Title>
      )}
      <Alert color="orange" role="alert">
        This cannot be loaded now: the service does not answer, or it is another version by now.
      </Alert>
      <Group gap="xs">
        <Button variant="default" onClick={again}>
          Try again
        </Button>
        {/* After an upgrade the files that this page knows are gone. */}
        <Button variant="subtle" color="gray" onClick={() => window.location.reload()}>
          Load the whole page anew
        </Button>
      </Group>
    </Stack>
  );
}

const FIRST_SIGHT = 3_000; // ms: what a view shows first is mostly there by then, also over a slow line

/** Do something three seconds after the view came, out of the way of what it shows first. */
export function afterFirstSight(work: () => void): () => void {
  const timer = setTimeout(work, FIRST_SIGHT);
  return () => clearTimeout(timer);
}

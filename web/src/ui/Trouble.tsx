import { Alert, Button, Center, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';

import { Problem, sentence } from '../api/client';

interface Props {
  error: unknown;
  again?: () => void;
  /** Inside of a page that has its heading. */
  part?: boolean;
}

/** What went wrong, in words, and the way on. That something is not there is no failure. */
export function Trouble({ error, again, part = false }: Props) {
  const absent = error instanceof Problem && error.status === 404;
  return (
    <Center mih={part ? 160 : '40dvh'} p="md">
      <Stack align="center" maw={480}>
        {!part && (
          <Title order={1} size="h4">
            {absent ? 'Nothing is here' : 'That did not work'}
          </Title>
        )}
        {absent ? (
          <Text c="dimmed" ta="center" style={{ overflowWrap: 'anywhere' }}>
            {sentence(error)}
          </Text>
        ) : (
          <Alert color="red" role="alert">
            {sentence(error)}
          </Alert>
        )}
        {again && !absent ? (
          <Button variant="default" onClick={again}>
            Try again
          </Button>
        ) : (
          !part && (
            <Button variant="default" component={Link} to="/stores">
              To the stores
            </Button>
          )
        )}
      </Stack>
    </Center>
  );
}

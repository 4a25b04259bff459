import { Alert, Button, Center, Stack, Title } from '@mantine/core';
import { Link } from 'react-router';

import { sentence } from '../api/client';

/** What went wrong, in words, and the way on. */
export function Trouble({ error, again }: { error: unknown; again?: () => void }) {
  return (
    <Center mih="40dvh" p="md">
      <Stack align="center" maw={480}>
        <Title order={1} size="h4">
          That did not work
        </Title>
        <Alert color="red" role="alert">
          {sentence(error)}
        </Alert>
        {again ? (
          <Button variant="default" onClick={again}>
            Try again
          </Button>
        ) : (
          <Button variant="default" component={Link} to="/stores">
            To the stores
          </Button>
        )}
      </Stack>
    </Center>
  );
}

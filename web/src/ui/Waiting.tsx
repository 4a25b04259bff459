import { Center, Loader, Title, VisuallyHidden } from '@mantine/core';

interface Props {
  /** The room that it will take. */
  h: number | string;
  /** Inside of a page that has its heading. */
  part?: boolean;
}

/** Something is on its way. */
export function Waiting({ h, part = false }: Props) {
  return (
    <Center h={h}>
      {!part && (
        <VisuallyHidden>
          <Title order={1}>Loading</Title>
        </VisuallyHidden>
      )}
      {/* The library draws it with no role, and without one a name says nothing. */}
      <Loader role="progressbar" aria-label="Loading" />
    </Center>
  );
}

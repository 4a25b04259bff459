import { Center, Loader } from '@mantine/core';

/** Something is on its way; ``h`` is the room that it will take. */
export function Waiting({ h }: { h: number | string }) {
  return (
    <Center h={h}>
      <Loader aria-label="Loading" />
    </Center>
  );
}

import { Title, type TitleProps } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';

const PRODUCT = 'Urumi Stores';

/** The first view of a page leaves the focus where the browser puts it. */
let isFirst = true;

interface Props extends TitleProps {
  /** What the document is called while the view is shown. */
  name: string;
  children: ReactNode;
}

/** The heading of a view: it names the document, and has the focus when one comes from another view. */
export function ViewTitle({ name, children, style, ...rest }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${name} · ${PRODUCT}`;
    return () => {
      document.title = PRODUCT;
    };
  }, [name]);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  return (
    <Title ref={heading} order={1} size="h2" tabIndex={-1} style={[{ outline: 'none' }, style]} {...rest}>
      {children}
    </Title>
  );
}

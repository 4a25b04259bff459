import { useEffect, useState } from 'react';

import { serviceNow } from '../api/clock';

/** The present by the service's clock, renewed every so many milliseconds. */
export function useNow(every: number): number {
  const [now, setNow] = useState(serviceNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serviceNow()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

import { createTheme, type MantineColor, Modal } from '@mantine/core';

import type { Phase } from '../api/types';

export const theme = createTheme({
  primaryColor: 'cyan',
  primaryShade: 9,
  defaultRadius: 'md',
  cursorType: 'pointer',
  autoContrast: true,
  components: {
    Modal: Modal.extend({
      // Its header is a dialog's, not the page's second banner.
      defaultProps: { closeButtonProps: { 'aria-label': 'Close' }, attributes: { header: { role: 'presentation' } } },
    }),
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
});

/** One colour a phase, everywhere. */
export const PHASE_COLOURS: Record<Phase, MantineColor> = {
  Pending: 'gray',
  Provisioning: 'blue',
  Ready: 'teal',
  Degraded: 'orange',
  Upgrading: 'blue',
  RollingBack: 'grape',
  Failed: 'red',
  Hibernated: 'gray',
  Deleting: 'gray',
};

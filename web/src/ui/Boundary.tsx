import { Component, type ReactNode } from 'react';

import { Trouble } from './Trouble';

/** What is shown instead of nothing when a view fails. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    const error = new Error(`This view cannot be shown: ${this.state.error.message}`);
    return <Trouble error={error} again={() => window.location.reload()} />;
  }
}

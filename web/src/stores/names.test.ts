import { describe, expect, it } from 'vitest';

import { nameProblem } from './names';

describe('a name', () => {
  it.each(['', 'Acme', 'ä'.repeat(80), '🌷'.repeat(80)])('may be %j', (name) => expect(nameProblem(name)).toBeNull());

  it.each(['a'.repeat(81), '🌷'.repeat(81)])('is too long: %j', (name) => expect(nameProblem(name)).toBe('At most 80 characters'));
});

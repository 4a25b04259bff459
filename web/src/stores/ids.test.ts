import { describe, expect, it } from 'vitest';

import { idProblem, suggestedId } from './ids';

describe('an id', () => {
  it.each([
    ['Acme Ltd', 'acme-ltd'],
    ['Bäckerei Süß', 'backerei-su'],
    ['  --x--  ', 'x'],
    ['日本', ''],
    ['default', 'shop-default'],
    ['kube-x', 'shop-kube-x'],
    ['a'.repeat(39) + ' b', 'a'.repeat(39)],
  ])('is made of the name %j', (name, id) => {
    expect(suggestedId(name)).toBe(id);
    expect(idProblem(suggestedId(name))).toBeNull();
  });

  it.each(['A', '-a', 'a-', 'a.b', 'a'.repeat(41), 'ä'])('%j is told to be wrong', (id) => {
    expect(idProblem(id)).toContain('lower-case');
  });
});

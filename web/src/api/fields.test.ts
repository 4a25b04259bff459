import { describe, expect, it } from 'vitest';

import { Problem } from './client';
import { toldBy } from './fields';

const FORM = new Set(['name', 'options.currency']);
const problem = (...fields: string[]) => new Problem(422, 'It is refused', fields.map((field) => ({ field, message: `${field} is wrong` })));

describe('what an error says of a form', () => {
  it('is said at the fields that are on it', () => {
    const { of, rest } = toldBy(problem('name', 'options.currency'), FORM);
    expect([of('name'), of('options.currency'), rest]).toEqual(['name is wrong', 'options.currency is wrong', null]);
  });

  it.each<[string[]]>([[['If-Match']], [['name', 'versions.mysql']], [[]]])('is a sentence too where it names %j', (fields) => {
    const { of, rest } = toldBy(problem(...fields), FORM);
    expect(rest).toBe('It is refused');
    expect(of('name')).toBe(fields.includes('name') ? 'name is wrong' : null);
  });

  it('is nothing without an error, and whatever was thrown otherwise', () => {
    expect(toldBy(null, FORM).rest).toBeNull();
    expect(toldBy(new Error('lost'), FORM).rest).toBe('lost');
  });
});

import { Problem, sentence } from './client';

interface Told {
  /** What is wrong with a field of the form, or null. */
  of: (field: string) => string | null;
  /** What no field of the form says, or null. */
  rest: string | null;
}

/** What an error says of a form's fields; of what is not on the form (a header, say) it is the sentence. */
export function toldBy(error: unknown, onForm: ReadonlySet<string>): Told {
  const named = error instanceof Problem ? error.fields : [];
  const fields = new Map(named.map(({ field, message }) => [field, message]));
  const allShown = named.length > 0 && named.every(({ field }) => onForm.has(field));
  const silent = error === null || error === undefined;
  return { of: (field) => fields.get(field) ?? null, rest: silent || allShown ? null : sentence(error) };
}

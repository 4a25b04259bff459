/** An id made from a name, as the service would make it, without the random end. */
export function suggestedId(name: string): string {
  const plain = name.normalize('NFKD').replace(/[^\x20-\x7e]/g, '').toLowerCase();
  const slug = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '');
  return slug === 'default' || slug.startsWith('kube-') ? `shop-${slug}`.slice(0, 40) : slug;
}

const RULE = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** What is wrong with an id by its form, or null. */
export function idProblem(id: string): string | null {
  if (id === '' || RULE.test(id)) return null;
  return '1 to 40 lower-case letters, digits and "-", with a letter or digit at both ends';
}

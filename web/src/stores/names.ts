const LONGEST = 80;

/** What is wrong with a store's name, or null. Characters are counted as the service does: an emoji is one. */
export function nameProblem(name: string): string | null {
  return Array.from(name).length > LONGEST ? `At most ${LONGEST} characters` : null;
}

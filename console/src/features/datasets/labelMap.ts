/** New names that a person types for the labels of an import; null leaves a label out. */
export type Names = Record<string, string | null>;

/** What the server is told: only what differs from the name in the source. */
export const mapOf = (names: Names): Names =>
  Object.fromEntries(
    Object.entries(names)
      .map(([label, name]) => [label, name === null ? null : name.trim()] as const)
      .filter(([label, name]) => name !== '' && name !== label),
  );

/** Labels as they will be in the dataset, with how many labels of the source become each. */
export function mergedLabels(labels: Record<string, number>, names: Names): Map<string, string[]> {
  const map = mapOf(names);
  const merged = new Map<string, string[]>();
  for (const label of Object.keys(labels)) {
    const name = label in map ? map[label] : label;
    if (name) merged.set(name, [...(merged.get(name) ?? []), label]);
  }
  return merged;
}

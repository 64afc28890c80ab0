/** Files that the page makes itself: tables as CSV, texts. */
export type Cell = string | number | null | undefined;

/** Hands a file to the person. */
export function saveFile(name: string, parts: BlobPart[], type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Rows as CSV (RFC 4180). What a spreadsheet would take for a formula gets a quote in front of it. */
export function csvText(head: string[], rows: Cell[][]): string {
  const cell = (value: Cell) => {
    const text = typeof value === 'string' && /^[=+\-@\t]./.test(value) ? `'${value}` : String(value ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n');
}

/** Hands a table over as a file that spreadsheets open in UTF-8. */
export const saveCsv = (name: string, head: string[], rows: Cell[][]) => saveFile(`${name}.csv`, ['\ufeff', csvText(head, rows)], 'text/csv');

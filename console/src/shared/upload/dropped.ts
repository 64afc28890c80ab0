import type { Picked } from './plan';

/** Files of a drop, those of folders with their paths. */
export async function droppedFiles(items: DataTransferItemList): Promise<Picked[]> {
  // The list is emptied as soon as this task ends, so all entries are taken first.
  const entries = [...items].map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  const found: Picked[] = [];
  for (const { entry, file } of entries) {
    if (entry) await walk(entry, '', found);
    else if (file) found.push({ path: file.name, file });
  }
  return found;
}

async function walk(entry: FileSystemEntry, above: string, found: Picked[]): Promise<void> {
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a hundred entries at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const child of some) await walk(child, `${path}/`, found);
  }
}

/** Files of a file field, those of a folder with their paths. */
export const pickedFiles = (list: FileList): Picked[] =>
  [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

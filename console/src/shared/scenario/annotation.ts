/** What a scenario brings to the annotation workspace, and what it is given there. */
import type { ComponentType } from 'react';
import type { Doc, Item } from '../annotation/document';
import type { Label, Tool, Workspace } from '../annotation/workspace';
import type { Outline } from '../canvas/outlines';
import type { Point } from '../canvas/shapes';
import type { Stage } from '../canvas/stage';
import type { LabelLook } from '../theme/palette';

/** Labels or fields of the dataset, in their order of digits. */
export type Labels = {
  items: readonly Label[];
  look: (name: string | null) => LabelLook;
  /** Make a label known to the dataset. */
  create: (name: string) => void;
  /** Printed key → field. */
  dictionary: Readonly<Record<string, string>>;
};

export type AnnotationContext = {
  dataset: string;
  sample: { id: string; path: string; width: number; height: number };
  workspace: Workspace;
  stage: Stage | null;
  labels: Labels;
  /** Label of the next box. */
  current: string | null;
  setCurrent: (name: string) => void;
  /** Tell the person something, also by voice. */
  tell: (text: string) => void;
  /** Read the text of boxes; what a person has typed stays. */
  read: (ids: readonly string[], again?: boolean) => void;
  /** Mark as labelled and go to the next picture. */
  done: () => void;
  /** Open the search among labels. */
  findLabel: () => void;
};
export type AnnotationProps = { context: AnnotationContext };

/** A key of the keyboard: letters match by what they write, digits by where they are. */
export type Hotkey = {
  /** Names its sentence in the catalogue: `annotation.keys.<id>`. */
  id: string;
  /** As shown, and as matched: `Ctrl+Z`, `Shift+1`, `L`, `Enter`. */
  keys: readonly string[];
  run: (context: AnnotationContext) => void;
};

export interface AnnotationParts {
  tools: readonly Tool[];
  Panel: ComponentType<AnnotationProps>;
  /** Lies over the picture, for instance a text editor beside its box. */
  Overlay?: ComponentType<AnnotationProps>;
  hotkeys: readonly Hotkey[];
  /** A box was drawn. */
  draw?: (context: AnnotationContext, points: Point[], rect: boolean) => void;
  /** A label was chosen, by its digit or from the search. */
  assign: (context: AnnotationContext, label: string) => void;
  /** In link mode, a box was picked. */
  pick?: (context: AnnotationContext, id: string) => void;
  /** Enter or a double click on a box. */
  open?: (context: AnnotationContext, id: string) => void;
  outline: (item: Item, doc: Doc, labels: Labels) => Outline;
  /** What a box is called when it is announced. */
  describe: (item: Item) => string;
  /** Whether boxes may be turned. */
  turns: boolean;
  /** Whether many pictures can be labelled at once from a grid. */
  grid?: boolean;
}

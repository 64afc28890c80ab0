/** Annotating documents: boxes with text, roles, fields, links and values. */
import { blank } from '../../shared/annotation/document';
import { addItems } from '../../shared/annotation/commands';
import { boxId } from '../../shared/annotation/ids';
import { joinValues, setField, setRole, toggleLink } from '../../shared/annotation/text';
import type { AnnotationContext, AnnotationParts } from '../../shared/scenario/annotation';
import { NEUTRAL } from '../../shared/theme/palette';
import { DocumentPanel } from './DocumentPanel';
import { TextEditor } from './TextEditor';

const DOUBTFUL = 0.9;

const role = (name: 'key' | 'value' | 'background') => (context: AnnotationContext) => {
  const { workspace } = context;
  workspace.run('role', setRole(workspace.selection, name));
};

const parts: AnnotationParts = {
  tools: ['select', 'rectangle', 'polygon', 'link', 'pan'],
  Panel: DocumentPanel,
  Overlay: TextEditor,
  turns: true,
  hotkeys: [
    { id: 'roleKey', keys: ['Shift+1'], run: role('key') },
    { id: 'roleValue', keys: ['Shift+2'], run: role('value') },
    { id: 'roleBackground', keys: ['Shift+3'], run: role('background') },
    { id: 'text', keys: ['Enter', 'F2'], run: ({ workspace }) => workspace.selection[0] && workspace.set({ typing: workspace.selection[0] }) },
    { id: 'link', keys: ['L'], run: ({ workspace }) => workspace.set({ tool: workspace.tool === 'link' ? 'select' : 'link' }) },
    { id: 'join', keys: ['M'], run: ({ workspace }) => workspace.run('join', joinValues(workspace.selection)) },
    { id: 'readAgain', keys: ['R'], run: ({ workspace, read }) => read(workspace.selection, true) },
  ],
  draw: (context, points, rect) => {
    const item = blank(boxId(), points, { rect, label: context.current, role: context.current ? 'value' : 'background' });
    context.workspace.run('draw', addItems([item]), [item.id]);
    if (context.current) context.workspace.amend(setField([item.id], context.current));
    context.read([item.id]);
  },
  assign: ({ workspace }, label) => workspace.run('field', setField(workspace.selection, label)),
  pick: ({ workspace, labels }, id) =>
    workspace.run('link', toggleLink(workspace.selection, id, labels.items.map((label) => label.name), labels.dictionary)),
  open: ({ workspace }, id) => {
    workspace.select([id]);
    workspace.set({ typing: id });
  },
  outline: (item, doc, labels) => ({
    id: item.id,
    points: item.points,
    look: item.label ? labels.look(item.label) : NEUTRAL,
    name: item.label ? (item.role === 'key' ? `${item.label}:` : item.label) : undefined,
    suggested: item.id in doc.suggested && doc.suggested[item.id]!.score < DOUBTFUL,
  }),
  describe: (item) => [item.label, item.text].filter(Boolean).join(', '),
};
export default parts;

import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { acceptItems, removeItems } from '../../shared/annotation/commands';
import { readingOrder, type Direction, type Item, type Role } from '../../shared/annotation/document';
import { setDirection, setField, setRole, setText, setValueText, toggleAbsent, toggleLink } from '../../shared/annotation/text';
import { useWorkspace } from '../../shared/annotation/workspace';
import { drawCrop } from '../../shared/canvas/crop';
import { score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { AnnotationContext, AnnotationProps } from '../../shared/scenario/annotation';
import { Check, Input, Plain, Select } from '../../shared/ui/kit';
import { LabelKeys } from '../../shared/annotation/LabelKeys';

const DOUBTFUL = 0.9;
const ROW = 78;
const OPEN_ROW = 214;
const CROP_HEIGHT = 28;
const ROLES: readonly Role[] = ['key', 'value', 'background'];

/** Beside the picture: fields with their digits, all boxes with their crops, and the values of the page. */
export function DocumentPanel({ context }: AnnotationProps) {
  const { t } = useText();
  const [tab, setTab] = useState<'boxes' | 'values'>('boxes');
  const missing = useWorkspace(context.workspace, ({ doc }) => context.labels.items.filter(({ name }) => !doc.values[name]?.length && !doc.absent.includes(name)).length);
  const boxes = useWorkspace(context.workspace, ({ doc }) => Object.keys(doc.items).length);
  return (
    <>
      <LabelKeys context={context} title={t('annotation.fields')} add={t('annotation.addField')} />
      <div className="sg-tabs" role="group" aria-label={t('annotation.panel')}>
        <button type="button" aria-pressed={tab === 'boxes'} onClick={() => setTab('boxes')}>
          {t('annotation.boxes', { count: boxes })}
        </button>
        <button type="button" aria-pressed={tab === 'values'} onClick={() => setTab('values')}>
          {missing ? t('annotation.valuesMissing', { count: missing }) : t('annotation.values')}
        </button>
      </div>
      {tab === 'boxes' ? <Boxes context={context} /> : <Values context={context} />}
    </>
  );
}

function Boxes({ context }: AnnotationProps) {
  const { t } = useText();
  const { workspace } = context;
  const [find, setFind] = useState('');
  const [role, setRoleFilter] = useState<Role | ''>('');
  const [doubtful, setDoubtful] = useState(false);
  const doc = useWorkspace(workspace, (space) => space.doc);
  const selection = useWorkspace(workspace, (space) => space.selection);
  const ids = useMemo(() => {
    const wanted = find.trim().toLowerCase();
    return readingOrder(doc.items).filter((id) => {
      const item = doc.items[id]!;
      if (role && item.role !== role) return false;
      if (doubtful && !((doc.suggested[id]?.score ?? 1) < DOUBTFUL)) return false;
      return !wanted || item.text.toLowerCase().includes(wanted) || (item.label ?? '').toLowerCase().includes(wanted);
    });
  }, [doc.items, doc.suggested, find, role, doubtful]);
  const narrowed = find !== '' || role !== '' || doubtful;
  useEffect(() => {
    workspace.set({ shown: narrowed ? new Set(ids) : null });
  }, [workspace, ids, narrowed]);
  useEffect(() => () => workspace.set({ shown: null }), [workspace]);
  return (
    <>
      <div className="sg-row sg-annotation-filter">
        <Input
          type="search"
          className="sg-grow"
          value={find}
          placeholder={t('annotation.find')}
          aria-label={t('annotation.find')}
          onChange={(event) => setFind(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && ids[0]) {
              const next = ids[(ids.indexOf(selection[0] ?? '') + 1) % ids.length]!;
              workspace.select([next]);
              context.stage?.reveal([next]);
            }
          }}
        />
        <Select aria-label={t('annotation.role')} value={role} onChange={(event) => setRoleFilter(event.target.value as Role | '')}>
          <option value="">{t('annotation.anyRole')}</option>
          {ROLES.map((name) => (
            <option key={name} value={name}>
              {t(`annotation.roles.${name}`)}
            </option>
          ))}
        </Select>
        <Check label={t('annotation.onlyDoubtful')} checked={doubtful} onChange={() => setDoubtful(!doubtful)} />
      </div>
      <BoxList ids={ids} context={context} narrowed={narrowed} />
    </>
  );
}

function BoxList({ ids, context, narrowed }: AnnotationProps & { ids: readonly string[]; narrowed: boolean }) {
  const { t } = useText();
  const { workspace } = context;
  const selection = useWorkspace(workspace, (space) => space.selection);
  const list = useRef<HTMLDivElement>(null);
  const open = selection.length === 1 ? selection[0]! : null;
  const rows = useVirtualizer({
    count: ids.length,
    getScrollElement: () => list.current,
    estimateSize: (index) => (ids[index] === open ? OPEN_ROW : ROW),
    getItemKey: (index) => ids[index]!,
    overscan: 4,
  });
  useEffect(() => {
    rows.measure();
    const place = open ? ids.indexOf(open) : -1;
    if (place >= 0) rows.scrollToIndex(place, { align: 'auto' });
    // Only when another box is chosen: an edit must not move the list.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [open]);
  if (ids.length === 0) return <p className="sg-annotation-empty sg-secondary">{narrowed ? t('annotation.noMatch') : t('annotation.noBoxes')}</p>;
  return (
    <div ref={list} className="sg-annotation-list" role="list" aria-label={t('annotation.boxList')} tabIndex={0}>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((row) => (
          <div key={row.key} role="listitem" aria-setsize={ids.length} aria-posinset={row.index + 1} ref={rows.measureElement} data-index={row.index} className="sg-annotation-row" data-on={selection.includes(ids[row.index]!) || undefined} style={{ transform: `translateY(${row.start}px)` }}>
            <BoxRow id={ids[row.index]!} open={ids[row.index] === open} context={context} />
          </div>
        ))}
      </div>
    </div>
  );
}

function BoxRow({ id, open, context }: AnnotationProps & { id: string; open: boolean }) {
  const { t } = useText();
  const { workspace, labels } = context;
  const item = useWorkspace(workspace, (space) => space.doc.items[id]);
  const suggestion = useWorkspace(workspace, (space) => space.doc.suggested[id]);
  const reading = useWorkspace(workspace, (space) => space.reading.has(id));
  if (!item) return null;
  const choose = () => {
    if (workspace.selection.length === 1 && workspace.selection[0] === id) return;
    workspace.select([id]);
    context.stage?.reveal([id]);
  };
  const look = item.label ? labels.look(item.label) : null;
  return (
    <>
      <div className="sg-annotation-line">
        <button type="button" className="sg-crop" onClick={choose} aria-label={t('annotation.selectBox', { name: item.text || item.label || id })} aria-pressed={open}>
          <Crop item={item} context={context} />
        </button>
        <span className="sg-annotation-facts">
          {look && (
            <span className="sg-swatch-name" style={{ background: look.colour, color: look.text }}>
              {item.label}
            </span>
          )}
          <span className="sg-secondary">{t(`annotation.roles.${item.role}`)}</span>
          {suggestion && (
            <span className="sg-figures" data-low={suggestion.score < DOUBTFUL || undefined} title={t('annotation.confidence')}>
              {score(suggestion.score)}
            </span>
          )}
        </span>
      </div>
      <TextField item={item} reading={reading} context={context} onFocus={choose} />
      {open && <BoxActions item={item} suggested={Boolean(suggestion)} context={context} />}
    </>
  );
}

function TextField({ item, reading, context, onFocus }: AnnotationProps & { item: Item; reading: boolean; onFocus: () => void }) {
  const { t } = useText();
  const [typed, setTyped] = useState<string | null>(null);
  const store = () => {
    if (typed !== null && typed !== item.text) context.workspace.run('text', setText(item.id, typed));
    setTyped(null);
  };
  return (
    <input
      className="sg-input sg-wide"
      value={typed ?? item.text}
      readOnly={context.workspace.readOnly}
      placeholder={reading ? t('annotation.reading') : t('annotation.noText')}
      aria-label={t('annotation.textOf', { name: item.label ?? t('annotation.box') })}
      onFocus={onFocus}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={store}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
          store();
          const order = readingOrder(context.workspace.doc.items);
          const next = order[order.indexOf(item.id) + 1];
          if (next) context.workspace.select([next]);
        } else if (event.key === 'Escape') {
          event.stopPropagation();
          setTyped(null);
        }
      }}
    />
  );
}

function Crop({ item, context }: AnnotationProps & { item: Item }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { stage, sample } = context;
  const [, setLoaded] = useState(false);
  useEffect(() => {
    if (!stage || stage.picture.image) return;
    return stage.onView(() => stage.picture.image && setLoaded(true));
  }, [stage]);
  useEffect(() => {
    const image = stage?.picture.image;
    if (image && canvas.current) drawCrop(canvas.current, image, sample, item.points, CROP_HEIGHT, 200);
  });
  return <canvas ref={canvas} aria-hidden="true" width={1} height={1} />;
}

/** Everything that can be done with a box on the picture, without the picture. */
function BoxActions({ item, suggested, context }: AnnotationProps & { item: Item; suggested: boolean }) {
  const { t } = useText();
  const { workspace, labels } = context;
  const doc = useWorkspace(workspace, (space) => space.doc);
  const tool = useWorkspace(workspace, (space) => space.tool);
  const keys = item.keys.map((key) => doc.items[key]).filter((key): key is Item => key !== undefined);
  const fields = labels.items.map((label) => label.name);
  const candidates = Object.values(doc.items).filter((other) => other.id !== item.id && other.role === 'key' && !item.keys.includes(other.id));
  return (
    <div className="sg-annotation-actions">
      <div className="sg-row">
        <Select aria-label={t('annotation.role')} value={item.role} onChange={(event) => workspace.run('role', setRole([item.id], event.target.value as Role))}>
          {ROLES.map((name) => (
            <option key={name} value={name}>
              {t(`annotation.roles.${name}`)}
            </option>
          ))}
        </Select>
        <Select aria-label={t('annotation.field')} value={item.label ?? ''} onChange={(event) => workspace.run('field', setField([item.id], event.target.value || null))}>
          <option value="">{t('annotation.noField')}</option>
          {[...new Set([...fields, ...(item.label ? [item.label] : [])])].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </Select>
        <Select aria-label={t('annotation.direction')} value={item.direction} onChange={(event) => workspace.run('direction', setDirection([item.id], event.target.value as Direction))}>
          <option value="horizontal">{t('annotation.horizontal')}</option>
          <option value="vertical">{t('annotation.vertical')}</option>
        </Select>
      </div>
      <div className="sg-row">
        {keys.map((key) => (
          <button key={key.id} type="button" className="sg-chip" aria-label={t('annotation.unlink', { name: key.text || key.label || key.id })} onClick={() => workspace.run('link', toggleLink([item.id], key.id))}>
            {key.text || key.label || key.id} ×
          </button>
        ))}
        {candidates.length > 0 && (
          <Select
            aria-label={t('annotation.linkTo')}
            value=""
            onChange={(event) => event.target.value && workspace.run('link', toggleLink([item.id], event.target.value, fields, labels.dictionary))}
          >
            <option value="">{t('annotation.linkTo')}</option>
            {candidates.map((key) => (
              <option key={key.id} value={key.id}>
                {key.text || key.label || key.id}
              </option>
            ))}
          </Select>
        )}
        <Plain size="small" aria-pressed={tool === 'link'} onClick={() => workspace.set({ tool: tool === 'link' ? 'select' : 'link' })}>
          {t('annotation.tools.link')}
        </Plain>
      </div>
      <div className="sg-row">
        {suggested && (
          <Plain size="small" onClick={() => workspace.run('accept', acceptItems([item.id]))}>
            {t('annotation.accept')}
          </Plain>
        )}
        <Plain size="small" onClick={() => context.read([item.id], true)}>
          {t('annotation.readAgain')}
        </Plain>
        <Plain size="small" onClick={() => workspace.run('delete', removeItems([item.id]))}>
          {t('annotation.delete')}
        </Plain>
      </div>
    </div>
  );
}

function Values({ context }: AnnotationProps) {
  const { t } = useText();
  const { workspace, labels } = context;
  const doc = useWorkspace(workspace, (space) => space.doc);
  const fields = [...new Set([...labels.items.map((label) => label.name), ...Object.keys(doc.values), ...doc.absent])];
  if (fields.length === 0) return <p className="sg-annotation-empty sg-secondary">{t('annotation.noFields')}</p>;
  return (
    <ul className="sg-annotation-list sg-annotation-values" aria-label={t('annotation.values')} tabIndex={0}>
      {fields.map((field) => (
        <FieldValues key={field} field={field} context={context} />
      ))}
    </ul>
  );
}

function FieldValues({ field, context }: AnnotationProps & { field: string }) {
  const { t } = useText();
  const { workspace, labels } = context;
  const values = useWorkspace(workspace, (space) => space.doc.values[field]);
  const absent = useWorkspace(workspace, (space) => space.doc.absent.includes(field));
  const look = labels.look(field);
  return (
    <li>
      <div className="sg-spread">
        <span className="sg-swatch-name" style={{ background: look.colour, color: look.text }}>
          {field}
        </span>
        {!values?.length && (
          <Check label={t('annotation.notHere')} checked={absent} disabled={workspace.readOnly} onChange={() => workspace.run('absent', toggleAbsent(field))} />
        )}
      </div>
      {(values ?? []).map((value, place) => (
        <ValueField key={place} text={value.text} boxes={value.boxes} label={t('annotation.valueOf', { name: field })} context={context} store={(text) => workspace.run('value', setValueText(field, place, text))} />
      ))}
      {!values?.length && !absent && (
        <ValueField text="" boxes={[]} label={t('annotation.valueOf', { name: field })} context={context} store={(text) => workspace.run('value', setValueText(field, 0, text))} />
      )}
    </li>
  );
}

function ValueField({ text, boxes, label, context, store }: { text: string; boxes: readonly string[]; label: string; context: AnnotationContext; store: (text: string) => void }) {
  const { t } = useText();
  const [typed, setTyped] = useState<string | null>(null);
  const save = () => {
    if (typed !== null && typed !== text) store(typed);
    setTyped(null);
  };
  return (
    <div className="sg-row" style={{ flexWrap: 'nowrap' }}>
      <Input
        className="sg-grow"
        value={typed ?? text}
        readOnly={context.workspace.readOnly}
        placeholder={t('annotation.missing')}
        aria-label={label}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => event.key === 'Enter' && !event.nativeEvent.isComposing && save()}
      />
      {boxes.length > 0 && (
        <Plain
          size="small"
          onClick={() => {
            context.workspace.select(boxes);
            context.stage?.reveal(boxes);
          }}
        >
          {t('annotation.showBoxes', { count: boxes.length })}
        </Plain>
      )}
    </div>
  );
}

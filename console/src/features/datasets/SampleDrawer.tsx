import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { picture, sampleQuery } from '../../shared/api/queries';
import { PictureView } from '../../shared/canvas/PictureView';
import { size } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { Annotation, LookOf } from '../../shared/scenario/contract';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Dialog, Facts, Plain } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { StatusTag } from '../../shared/ui/Status';
import { When } from '../../shared/ui/Time';
import type { Dataset } from './queries';

/** One sample, large, with its annotation: to look at; it is changed in the annotation workspace. */
export function SampleDrawer(props: { dataset: Dataset; sample: string | null; look: LookOf; onClose: () => void; children: ReactNode }) {
  const { t } = useText();
  return (
    <Dialog title={t('samples.one')} open={props.sample !== null} onClose={props.onClose} wide footer={<><span className="sg-grow">{props.children}</span><Plain onClick={props.onClose}>{t('samples.close')}</Plain></>}>
      {props.sample !== null && <Content dataset={props.dataset} id={props.sample} look={props.look} />}
    </Dialog>
  );
}

function Content({ dataset, id, look }: { dataset: Dataset; id: string; look: LookOf }) {
  const { t } = useText();
  const parts = useScenarioParts(dataset.scenario);
  const query = useQuery(sampleQuery(dataset.name, id));
  return (
    <Loaded query={query}>
      {(sample) => (
        <div className="sg-stack">
          <PictureView
            src={picture.sample(dataset.name, id)}
            width={sample.width}
            height={sample.height}
            shapes={sample.annotation ? (parts.annotationShapes?.(sample.annotation as Annotation, look) ?? []) : []}
            label={sample.path}
            tall={420}
          />
          <Facts
            items={[
              [t('samples.path'), sample.path],
              [t('samples.state'), <StatusTag key="state" about="sample" code={sample.state} />],
              [t('samples.labels'), Object.entries(sample.labels).map(([label, times]) => (times > 1 ? `${label} × ${times}` : label)).join(', ') || '-'],
              [t('samples.part'), sample.part ? t(`samples.parts.${sample.part}`) : '-'],
              [t('samples.group'), sample.group ?? '-'],
              [t('samples.file'), `${sample.width} × ${sample.height}, ${size(sample.size)}`],
              [t('samples.updated'), <When key="updated" at={sample.updated_at} />],
            ]}
          />
          {sample.annotation?.kind === 'document' && (sample.annotation.values ?? []).length > 0 && (
            <div className="sg-table-box">
              <table className="sg-table sg-tight">
                <thead>
                  <tr>
                    <th>{t('samples.field')}</th>
                    <th>{t('samples.value')}</th>
                  </tr>
                </thead>
                <tbody>
                  {(sample.annotation.values ?? []).map((value, index) => (
                    <tr key={index}>
                      <td>{value.field}</td>
                      <td style={{ overflowWrap: 'anywhere' }}>{value.text}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </div>
      )}
    </Loaded>
  );
}

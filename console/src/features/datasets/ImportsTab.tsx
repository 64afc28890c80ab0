import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Card, Empty, LinkButton } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { StatusTag } from '../../shared/ui/Status';
import { When } from '../../shared/ui/Time';
import { importListQuery, path, type Dataset } from './queries';

/** Every import into this dataset, with what its check noticed. */
export function ImportsTab({ dataset }: { dataset: Dataset }) {
  const { t } = useText();
  const query = useQuery(importListQuery(dataset.name));
  return (
    <Card>
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('imports.none')}>
              <LinkButton to={path(dataset.name, 'imports', 'new')}>{t('dataset.import')}</LinkButton>
            </Empty>
          ) : (
            <div className="sg-table-box">
              <table className="sg-table">
                <thead>
                  <tr>
                    <th>{t('imports.started')}</th>
                    <th>{t('imports.status')}</th>
                    <th>{t('imports.source')}</th>
                    <th>{t('imports.format')}</th>
                    <th className="sg-num">{t('imports.stored')}</th>
                    <th className="sg-num">{t('imports.leftOut')}</th>
                    <th>{t('common.actions')}</th>
                  </tr>
                </thead>
                <tbody>
                  {page.items.map((job) => (
                    <tr key={job.id}>
                      <td>
                        <When at={job.created_at} />
                      </td>
                      <td>
                        <StatusTag about="import" code={job.status} title={job.error?.message} />
                      </td>
                      <td style={{ overflowWrap: 'anywhere' }}>{job.source.folder ?? t('imports.uploaded')}</td>
                      <td>{job.format}</td>
                      <td className="sg-num">{count(job.stored)}</td>
                      <td className="sg-num">{count(job.left_out)}</td>
                      <td>
                        <Link to={path(dataset.name, 'imports', job.id)}>{t('imports.open')}</Link>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}

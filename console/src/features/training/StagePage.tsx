import { useQuery } from '@tanstack/react-query';
import { Navigate, useParams } from 'react-router';
import { evaluationsQuery } from '../../shared/api/queries';
import { Loaded } from '../../shared/ui/Loaded';
import { taskPath } from '../../shared/ui/TaskHeader';
import { useTaskVersion } from '../../shared/ui/useTaskVersion';

/** Leads to the furthest stage that a task version has reached. */
export default function StagePage() {
  const { task = '', version = '1' } = useParams();
  const loaded = useTaskVersion();
  const evaluations = useQuery(evaluationsQuery(task, Number(version)));
  return (
    <Loaded query={loaded}>
      {(data) => (
        <Loaded query={evaluations}>
          {(list) => (
            <Navigate
              replace
              to={taskPath(data.task, data.number, list.items.some((item) => item.evaluation !== null) ? 'evaluations' : 'training')}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

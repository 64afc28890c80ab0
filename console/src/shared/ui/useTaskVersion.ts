import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { taskVersionQuery } from '../api/queries';

/** The task version that the address names. */
export function useTaskVersion() {
  const { task = '', version = '1' } = useParams();
  return useQuery(taskVersionQuery(task, Number(version)));
}

import { useRouteError } from 'react-router';
import { ProblemBox } from '../shared/ui/Loaded';

/** A page that broke: what is known of it, and the way to try again. */
export function RouteProblem() {
  return <ProblemBox error={useRouteError()} retry={() => window.location.reload()} />;
}

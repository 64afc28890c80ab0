import { createBrowserRouter, Navigate } from 'react-router';
import { RouteProblem } from './RouteProblem';
import { SessionGate } from './SessionGate';
import { Shell } from './Shell';

const page = (load: () => Promise<{ default: React.ComponentType }>) => async () => ({ Component: (await load()).default });

export const router = createBrowserRouter([
  // Annotating takes the whole screen.
  { path: 'datasets/:dataset/annotate/:sample?', errorElement: <RouteProblem />, lazy: page(() => import('../features/annotation/AnnotatePage')) },
  {
    element: (
      <SessionGate>
        <Shell />
      </SessionGate>
    ),
    errorElement: <RouteProblem />,
    children: [
      {
        errorElement: <RouteProblem />,
        children: [
          { index: true, lazy: page(() => import('../features/home/HomePage')) },
          { path: 'tasks', lazy: page(() => import('../features/tasks/TasksPage')) },
          { path: 'tasks/new', lazy: page(() => import('../features/tasks/NewTaskPage')) },
          { path: 'tasks/:task/:version', lazy: page(() => import('../features/training/StagePage')) },
          { path: 'tasks/:task/:version/training', lazy: page(() => import('../features/training/TrainingPage')) },
          { path: 'tasks/:task/:version/evaluations', lazy: page(() => import('../features/evaluation/EvaluationPage')) },
          { path: 'tasks/:task/:version/evaluations/:evaluation', lazy: page(() => import('../features/evaluation/EvaluationPage')) },
          { path: 'tasks/:task/:version/evaluations/:evaluation/badcases', lazy: page(() => import('../features/evaluation/BadcasesPage')) },
          { path: 'tasks/:task/:version/evaluations/:evaluation/samples', lazy: page(() => import('../features/evaluation/TestSetPage')) },
          { path: 'tasks/:task/:version/publish', lazy: page(() => import('../features/services/PublishPage')) },
          { path: 'services', lazy: page(() => import('../features/services/ServicesPage')) },
          { path: 'services/:service/test', lazy: page(() => import('../features/services/ServiceTestPage')) },
          { path: 'services/:service/:tab?', lazy: page(() => import('../features/services/ServicePage')) },
          { path: 'datasets', lazy: page(() => import('../features/datasets/DatasetsPage')) },
          { path: 'datasets/new', lazy: page(() => import('../features/datasets/NewDatasetPage')) },
          { path: 'datasets/:dataset/imports/:import', lazy: page(() => import('../features/datasets/ImportPage')) },
          { path: 'datasets/:dataset/:tab?', lazy: page(() => import('../features/datasets/DatasetPage')) },
          { path: 'admin/:tab?', lazy: page(() => import('../features/admin/AdminPage')) },
          { path: 'signin', element: <Navigate to="/" replace /> },
          { path: 'account/:tab?', lazy: page(() => import('../features/account/AccountPage')) },
          { path: '*', lazy: page(() => import('../features/home/NotFoundPage')) },
        ],
      },
    ],
  },
]);

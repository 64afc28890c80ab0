import 'tdesign-react/es/_util/react-19-adapter';
import 'tdesign-react/es/style/index.css';
import '../shared/theme/theme.css';
import './scenarios';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { ApiError } from '../shared/api/client';
import { startI18n } from '../shared/i18n';
import { router } from './router';

/** A session that has ended is noticed by whatever asks next; the gate then asks for a sign-in over the page. */
const onError = (error: unknown) => {
  if (error instanceof ApiError && error.status === 401 && error.code !== 'sign_in_failed') void queries.invalidateQueries({ queryKey: ['session'] });
};

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // A server on this machine answers also where the browser has no network.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      // What the server refused is refused again; only lost connections and its own failures are tried once more.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      staleTime: 1000,
    },
  },
});

await startI18n();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);

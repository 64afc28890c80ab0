import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env.SANDGLASS_SERVER ?? 'http://127.0.0.1:8765';

export default defineConfig({
  plugins: [react()],
  build: { outDir: '../src/sandglass/console', emptyOutDir: true, target: 'es2022', manifest: true },
  server: { proxy: { '/v1': server, '/docs': server } },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'], setupFiles: ['src/app/test-setup.ts'], testTimeout: 30_000 },
});

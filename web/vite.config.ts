import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The service at VITE_API_URL answers the page's calls while somebody works on the page.
const api = process.env['VITE_API_URL'] ?? 'http://127.0.0.1:4000';

export default defineConfig({
  plugins: [react()],
  // The service puts a nonce of its own in its place with each response.
  html: { cspNonce: '__NONCE__' },
  build: { assetsDir: 'assets', target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: { proxy: { '/api': { target: api } } },
  test: { environment: 'happy-dom' },
});

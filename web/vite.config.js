// Build and development settings. The build must be byte-equal when repeated and must fit the content security
// policy of both programs: no inline script or style, nothing from another origin.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  plugins: [svelte()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Everything stays a file: `data:` fonts and scripts are forbidden by the policy.
    assetsInlineLimit: 0,
    modulePreload: false,
    target: 'es2022',
  },
  // `npm run dev` shows the mock hub; ARNO_API=http://localhost:4801 shows the mock node.
  server: { proxy: { '/v1': process.env.ARNO_API ?? 'http://localhost:4800' } },
});

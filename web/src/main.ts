// The entry: styles, router, then the app.
import './app.css';
import './charts/charts.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { startRouter } from './app/router.svelte';

startRouter();
const target = document.getElementById('app');
if (target) mount(App, { target });

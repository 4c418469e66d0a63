// The pages of a node by address.
import type { PageEntry } from '../app/page';
import Audit from '../components/Audit.svelte';
import SignIn from '../components/SignIn.svelte';
import Dataset from './Dataset.svelte';
import Datasets from './Datasets.svelte';
import Deidentification from './Deidentification.svelte';
import Disclosure from './Disclosure.svelte';
import Ingests from './Ingests.svelte';
import Overview from './Overview.svelte';
import Permits from './Permits.svelte';
import Quality from './Quality.svelte';
import Quarantine from './Quarantine.svelte';
import Review from './review/Review.svelte';
import ReviewPage from './review/ReviewPage.svelte';
import SeriesList from './SeriesList.svelte';
import SeriesPage from './SeriesPage.svelte';

export const nodePages: PageEntry[] = [
  { pattern: '/', component: Overview, nav: { label: 'nav.overview' } },
  { pattern: '/ingests', component: Ingests, nav: { label: 'nav.ingests' } },
  { pattern: '/series', component: SeriesList, nav: { label: 'nav.series' } },
  { pattern: '/quality', component: Quality, nav: { label: 'nav.quality' } },
  { pattern: '/review', component: Review, nav: { label: 'nav.review' } },
  { pattern: '/quarantine', component: Quarantine, nav: { label: 'nav.quarantine' } },
  { pattern: '/datasets', component: Datasets, nav: { label: 'nav.datasets' } },
  { pattern: '/disclosure', component: Disclosure, nav: { label: 'nav.disclosure' } },
  { pattern: '/permits', component: Permits, nav: { label: 'nav.permits' } },
  { pattern: '/audit', component: Audit, nav: { label: 'nav.audit' } },
  { pattern: '/datasets/:id', component: Dataset },
  { pattern: '/review/:id', component: ReviewPage },
  { pattern: '/series/:uid', component: SeriesPage },
  { pattern: '/series/:uid/deidentification', component: Deidentification },
  { pattern: '/sign-in', component: SignIn },
];

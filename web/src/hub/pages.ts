// The pages of the hub by address. What an account may do is decided by the hub; the roles here only tidy the
// navigation.
import type { PageEntry } from '../app/page';
import Audit from '../components/Audit.svelte';
import SignIn from '../components/SignIn.svelte';
import Analyses from './analyses/Analyses.svelte';
import Analysis from './analyses/Analysis.svelte';
import NewAnalysis from './analyses/NewAnalysis.svelte';
import Catalogue from './catalogue/Catalogue.svelte';
import Dataset from './catalogue/Dataset.svelte';
import Explorer from './explorer/Explorer.svelte';
import LinkedCohort from './explorer/LinkedCohort.svelte';
import Home from './Home.svelte';
import Invitations from './Invitations.svelte';
import NewRequest from './requests/NewRequest.svelte';
import Request from './requests/Request.svelte';
import Requests from './requests/Requests.svelte';

export const hubPages: PageEntry[] = [
  { pattern: '/', component: Home, nav: { label: 'nav.home' } },
  { pattern: '/datasets', component: Catalogue, nav: { label: 'nav.catalogue' } },
  { pattern: '/explorer', component: Explorer, nav: { label: 'nav.explorer' } },
  { pattern: '/requests', component: Requests, nav: { label: 'nav.requests' } },
  { pattern: '/analyses', component: Analyses, nav: { label: 'nav.analyses' } },
  { pattern: '/invitations', component: Invitations, nav: { label: 'nav.invitations', roles: ['operator'] } },
  { pattern: '/audit', component: Audit, nav: { label: 'nav.audit', roles: ['operator', 'committee'] } },
  { pattern: '/cohort/:digest', component: LinkedCohort },
  { pattern: '/datasets/:id', component: Dataset },
  { pattern: '/requests/new', component: NewRequest },
  { pattern: '/requests/:id', component: Request },
  { pattern: '/analyses/new', component: NewAnalysis },
  { pattern: '/analyses/:id', component: Analysis },
  { pattern: '/sign-in', component: SignIn },
];
